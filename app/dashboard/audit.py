"""The audit log: all of it for administrators, a group's for its owners, a project's for its maintainers."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.dashboard.homes import Home, Homes
from app.dashboard.routing import key_argument
from app.domain.permissions import Action
from app.http.edge import core
from app.services.audit.show_events import AuditFilter, show_events, subjects

_homes = Homes(
    "audit",
    Action.ADMIN_PROJECT,
    project="/<project:path>/-/audit",
    group="/-/groups/<namespace:path>/-/audit",
    admin="/-/admin/audit",
)


@_homes.get()
def audit(home: Home) -> ResponseReturnValue:
    filters = {name: request.args.get(name, "").strip()[:255] for name in ("subject", "actor", "place")}
    found = show_events(core(), AuditFilter(within=home.place, **filters), key_argument("before"))
    return render_template("audit/list.html", found=found, filters=filters, subjects=subjects(), **home.shown())
