"""Who belongs to a project."""

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in
from app.dashboard.error_pages import sentence
from app.domain.errors import Conflict, InvalidRequest, NotAllowed
from app.domain.permissions import Action
from app.http.edge import core
from app.models import Project
from app.services.projects.save_member import ROLES, list_members, remove_member, save_member


def _page(project: Project, error: tuple[str, str] | None = None) -> str:
    g.section = "settings"
    found = list_members(core(), project)
    return render_template("settings/members.html", project=project, members=found, roles=ROLES, error=error)


@pages.get("/<project:path>/-/project_members")
def members(path: str) -> ResponseReturnValue:
    return _page(open_project(path, Action.READ_MEMBERS))


@pages.post("/<project:path>/-/project_members")
def add_member(path: str) -> ResponseReturnValue:
    user, project = signed_in(), open_project(path, Action.ADMIN_MEMBERS)
    username = request.form.get("username", "")
    try:
        save_member(core(), project, user, username, request.form.get("role", 0, type=int))
    except (InvalidRequest, NotAllowed, Conflict) as error:
        return _page(project, (getattr(error, "field", None) or "username", sentence(error))), 422
    flash(f"{username.strip()} is a member.", "done")
    return redirect(url_for("pages.members", path=project.full_path), 303)


@pages.post("/<project:path>/-/project_members/<key:membership_id>/remove")
def delete_member(path: str, membership_id: int) -> ResponseReturnValue:
    user, project = signed_in(), open_project(path, Action.ADMIN_MEMBERS)
    remove_member(core(), project, user, membership_id)
    flash("The member is removed.", "done")
    return redirect(url_for("pages.members", path=project.full_path), 303)
