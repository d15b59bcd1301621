"""A group's settings, for its owners: what it is called, who sees it, who belongs to it, and its end."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import signed_in
from app.dashboard.error_pages import sentence
from app.domain.errors import AlreadyExists, Conflict, InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Role
from app.edge import core
from app.models import Group, User
from app.services.accounts.find_user import find_user
from app.services.projects import members as service
from app.services.projects.groups import delete_group, edit_group, find_group
from app.services.projects.save_member import ROLES

_REFUSED = (InvalidRequest, AlreadyExists, Conflict, NotAllowed)


def _open(path: str) -> tuple[Group, User]:
    user = signed_in()
    return find_group(core(), path, user, Role.OWNER), user


def _page(group: Group, error: tuple[str, str] | None = None) -> str:
    values = {name: request.form.get(name, getattr(group, name)) for name in ("name", "description", "visibility")}
    found = [(row, Role(row.role).name.lower()) for row in core().session.scalars(service.members(group))]
    return render_template("settings/group.html", group=group, values=values, members=found, roles=ROLES, error=error)


def _back(group: Group) -> ResponseReturnValue:
    return redirect(url_for("pages.group_settings", path=group.full_path), 303)


@pages.get("/-/groups/<namespace:path>/-/settings")
def group_settings(path: str) -> ResponseReturnValue:
    return _page(_open(path)[0])


@pages.post("/-/groups/<namespace:path>/-/settings")
def save_group_settings(path: str) -> ResponseReturnValue:
    group, user = _open(path)
    changes = {
        name: request.form[name].strip() for name in ("name", "description", "visibility") if name in request.form
    }
    try:
        changed = edit_group(core(), group, user, changes)
    except InvalidRequest as error:
        return _page(group, (error.field or "name", sentence(error))), 422
    flash("The settings are saved.", "done")
    return _back(changed)


@pages.post("/-/groups/<namespace:path>/-/members")
def save_group_member(path: str) -> ResponseReturnValue:
    """A new member, or another role for one who is there."""
    group, user = _open(path)
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
    group, user = _open(path)
    service.remove_member(core(), group, user, user_id)
    flash("The member is removed.", "done")
    return redirect(url_for("pages.projects"), 303) if user_id == user.id else _back(group)


@pages.post("/-/groups/<namespace:path>/-/delete")
def remove_group(path: str) -> ResponseReturnValue:
    """Only for who typed the group's whole path, and only an empty one."""
    group, user = _open(path)
    full_path = group.full_path
    if request.form.get("confirmation", "").strip() != full_path:
        return _page(group, ("confirmation", f"Type {full_path}, exactly so.")), 422
    try:
        delete_group(core(), group, user)
    except Conflict as error:
        return _page(group, ("confirmation", sentence(error))), 409
    flash(f"{full_path} is deleted.", "done")
    return redirect(url_for("pages.projects"), 303)
