"""A group's own page: the groups and projects inside; and a new group."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import signed_in, visitor
from app.dashboard.error_pages import sentence
from app.domain.errors import AlreadyExists, InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Role
from app.http.edge import core
from app.models import Group
from app.services.access import managed_groups
from app.services.projects.groups import GroupFilter, create_group, find_group_at, groups
from app.services.projects.show_projects import show_projects

_REFUSED = (InvalidRequest, AlreadyExists, NotAllowed, NotFound)


def group_page(path: str) -> str | None:
    """The page of the group at `path`; None where there is none that the visitor may know of.

    Of a private group with an open project inside, a stranger sees that project and nothing of the group itself.
    """
    parts, user = core(), visitor()
    group = _found(path)
    inside = show_projects(parts, user, group=path, after=request.args.get("after", ""))
    if group is None and not inside.rows:
        return None
    below = (
        parts.session.scalars(groups(parts, user, GroupFilter(parent_id=group.id, order_by="path"))) if group else ()
    )
    ranks = {"owner": _is(Role.OWNER, group), "maintainer": _is(Role.MAINTAINER, group)}
    return render_template("groups/show.html", group=group, path=path, below=list(below), found=inside, **ranks)


def _found(path: str) -> Group | None:
    try:
        return find_group_at(core(), path, visitor())
    except NotFound:
        return None


def _is(least: Role, group: Group | None) -> bool:
    """Whether the visitor has at least that role in `group`, as its buttons ask."""
    user = visitor()
    return bool(group and user and (user.is_admin or group.id in managed_groups(core(), user, least)))


@pages.get("/-/groups/new")
def new_group() -> ResponseReturnValue:
    signed_in()
    return _form({"full_path": request.args.get("path", ""), "visibility": "private"})


@pages.post("/-/groups/new")
def make_group() -> ResponseReturnValue:
    user = signed_in()
    values = {name: request.form.get(name, "").strip() for name in ("full_path", "name", "description", "visibility")}
    above, _, path = values["full_path"].strip("/").rpartition("/")
    try:
        made = create_group(
            core(),
            user,
            name=values["name"] or path,
            path=path,
            parent=find_group_at(core(), above, user) if above else None,
            description=values["description"],
            visibility=values["visibility"],
        )
    except _REFUSED as error:
        field = (getattr(error, "field", None) or "path").replace("path", "full_path")
        said = "There is no group at that place." if isinstance(error, NotFound) else sentence(error)
        return _form(values, (field, said)), 422
    flash(f"{made.full_path} is there.", "done")
    return redirect(url_for("pages.project", path=made.full_path), 303)


def _form(values: dict[str, Any], error: tuple[str, str] | None = None) -> str:
    return render_template("groups/new.html", values=values, error=error)
