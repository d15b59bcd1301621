"""Who belongs to a group, and so to every project and group inside."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import owned_group, signed_in
from app.dashboard.error_pages import sentence
from app.domain.errors import AlreadyExists, Conflict, InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Role
from app.http.edge import core
from app.models import Group
from app.services.accounts.find_user import find_user
from app.services.projects import members as service
from app.services.projects.save_member import ROLES

_REFUSED = (InvalidRequest, AlreadyExists, Conflict, NotAllowed)


def _page(group: Group, error: tuple[str, str] | None = None) -> str:
    above = [row for row in service.all_members(core(), group) if row.group_id != group.id]
    rows = [*core().session.scalars(service.members(group)), *above]
    found = [(row, Role(row.role).name.lower()) for row in rows]
    return render_template("groups/members.html", group=group, members=found, roles=ROLES, error=error)


def _back(group: Group) -> ResponseReturnValue:
    return redirect(url_for("pages.group_members", path=group.full_path), 303)


@pages.get("/-/groups/<namespace:path>/-/members")
def group_members(path: str) -> ResponseReturnValue:
    return _page(owned_group(path))


@pages.post("/-/groups/<namespace:path>/-/members")
def save_group_member(path: str) -> ResponseReturnValue:
    """A new member, or another role for one who is there."""
    group, user = owned_group(path), signed_in()
    try:
        who, role = find_user(core(), request.form.get("username", "")).id, request.form.get("role", 0, type=int)
        there = core().session.scalar(service.members(group, user_ids=[who])) is not None
        save = service.change_member if there else service.add_member
        name = save(core(), group, user, who, role).user.username
    except NotFound:
        return _page(group, ("username", "There is no user of that name.")), 422
    except _REFUSED as error:
        return _page(group, ("username", sentence(error))), 422
    flash(f"{name} is a member.", "done")
    return _back(group)


@pages.post("/-/groups/<namespace:path>/-/members/<key:user_id>/remove")
def remove_group_member(path: str, user_id: int) -> ResponseReturnValue:
    group, user = owned_group(path), signed_in()
    service.remove_member(core(), group, user, user_id)
    flash("The member is removed.", "done")
    return redirect(url_for("pages.projects"), 303) if user_id == user.id and not user.is_admin else _back(group)
