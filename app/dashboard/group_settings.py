"""A group's general settings, for its owners: what it is called, who sees it, and its end."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import owned_group, signed_in
from app.dashboard.error_pages import sentence
from app.domain.errors import Conflict, InvalidRequest
from app.http.edge import core
from app.models import Group
from app.services.projects.groups import delete_group, edit_group

_ABOUT = ("name", "description", "visibility")


def _page(group: Group, error: tuple[str, str] | None = None) -> str:
    values = {name: request.form.get(name, getattr(group, name)) for name in _ABOUT}
    return render_template("groups/settings.html", group=group, values=values, error=error)


@pages.get("/-/groups/<namespace:path>/-/settings")
def group_settings(path: str) -> ResponseReturnValue:
    return _page(owned_group(path))


@pages.post("/-/groups/<namespace:path>/-/settings")
def save_group_settings(path: str) -> ResponseReturnValue:
    group, user = owned_group(path), signed_in()
    changes = {name: request.form[name].strip() for name in _ABOUT if name in request.form}
    try:
        changed = edit_group(core(), group, user, changes)
    except InvalidRequest as error:
        return _page(group, (error.field or "name", sentence(error))), 422
    flash("The settings are saved.", "done")
    return redirect(url_for("pages.group_settings", path=changed.full_path), 303)


@pages.post("/-/groups/<namespace:path>/-/delete")
def remove_group(path: str) -> ResponseReturnValue:
    """Only for who typed the group's whole path, and only an empty one."""
    group, user = owned_group(path), signed_in()
    full_path = group.full_path
    if request.form.get("confirmation", "").strip() != full_path:
        return _page(group, ("confirmation", f"Type {full_path}, exactly so.")), 422
    try:
        delete_group(core(), group, user)
    except Conflict as error:
        return _page(group, ("confirmation", sentence(error))), 409
    flash(f"{full_path} is deleted.", "done")
    return redirect(url_for("pages.projects"), 303)
