"""A new project: hosted here, with a pipeline to start from if one likes, or the mirror of a repository elsewhere."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in
from app.dashboard.error_pages import sentence
from app.domain.errors import AlreadyExists, InvalidRequest, NotAllowed, NotFound, SkerryError
from app.domain.permissions import Action
from app.http.edge import core
from app.models import Project, User
from app.services.projects.create_project import create_project
from app.services.repositories.first_commit import STARTERS, add_starter, check_starter
from app.services.repositories.request_fetch import ask_for_fetch

_REFUSED = (InvalidRequest, AlreadyExists, NotAllowed, NotFound)
_MIRROR = "mirrored"
#: What comes back beside what was wrong: all that was typed, but for an address that may hold a password.
_KEPT = ("full_path", "visibility", "description", "repository", "starter")


def _form(values: dict[str, Any], error: tuple[str, str] | None = None) -> str:
    return render_template("projects/new.html", values=values, starters=STARTERS, error=error)


@pages.get("/-/projects/new")
def new_project() -> ResponseReturnValue:
    signed_in()
    return _form({"full_path": request.args.get("path", ""), "visibility": "private"})


@pages.post("/-/projects/new")
def make_project() -> ResponseReturnValue:
    user, starter = signed_in(), request.form.get("starter", "")
    try:
        project = _create(user, starter)
    except _REFUSED as error:
        field = getattr(error, "field", None) or "full_path"
        field = "full_path" if field == "path" else field
        return _form({name: request.form.get(name, "") for name in _KEPT}, (field, sentence(error))), 422
    path = project.full_path
    if project.repository == "mirrored":
        ask_for_fetch(core(), project.id)
    elif starter and project.repository == "hosted":
        _start(project, user, starter)
    return redirect(url_for("pages.project", path=path), 303)


def _create(user: User, starter: str) -> Project:
    """What was not chosen does not count: the address of a mirror in a form for a hosted project, and the reverse."""
    form = request.form
    url = form.get("mirror_url", "").strip()
    mirrored = form.get("repository", _MIRROR if url else "") == _MIRROR
    if starter and not mirrored:
        check_starter(starter)
    return create_project(
        core(),
        full_path=form.get("full_path", "").strip(),
        creator=user,
        visibility=form.get("visibility", "private"),
        mirror_url=url if mirrored else None,
        description=form.get("description", "").strip()[:1000],
    )


def _start(project: Project, user: User, starter: str) -> None:
    """The project is there whatever becomes of its first commit."""
    try:
        add_starter(core(), project, user, starter)
    except SkerryError as error:
        core().session.rollback()
        flash(f"The project is made, but the first commit was not: {sentence(error)}", "error")
    else:
        flash("The first commit is made, and its pipeline runs.", "done")


@pages.post("/<project:path>/-/starter")
def start_project(path: str) -> ResponseReturnValue:
    """The first commit of a project that was made without one."""
    user, project = signed_in(), open_project(path, Action.PUSH)
    full_path = project.full_path
    add_starter(core(), project, user, request.form.get("starter", ""))
    flash("The first commit is made, and its pipeline runs.", "done")
    return redirect(url_for("pages.project", path=full_path), 303)
