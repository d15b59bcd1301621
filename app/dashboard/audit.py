"""The audit log: all of it for administrators, a project's for its maintainers."""

from typing import Any

from flask import g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import administrator, open_project, signed_in
from app.dashboard.routing import key_argument
from app.domain.permissions import Action
from app.edge import core
from app.models import Project
from app.services.audit.show_events import AuditFilter, show_events, subjects


def _shown(project: Project | None) -> dict[str, Any]:
    filters = {name: request.args.get(name, "").strip()[:255] for name in ("subject", "actor", "place")}
    found = show_events(core(), AuditFilter(project=project, **filters), key_argument("before"))
    return {"found": found, "filters": filters, "subjects": subjects(), "project": project}


@pages.get("/-/admin/audit")
def audit() -> ResponseReturnValue:
    administrator()
    return render_template("admin/audit.html", address=url_for("pages.audit"), **_shown(None))


@pages.get("/<project:path>/-/audit")
def project_audit(path: str) -> ResponseReturnValue:
    signed_in()
    g.section = "settings"
    project = open_project(path, Action.ADMIN_PROJECT)
    address = url_for("pages.project_audit", path=project.full_path)
    return render_template("settings/audit.html", address=address, **_shown(project))
