"""The list of projects, a group's, a new one, and a project's own first page."""

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import SignInRequired, can, open_project, signed_in, visitor
from app.dashboard.error_pages import sentence
from app.dashboard.groups import group_page
from app.domain.errors import AlreadyExists, InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Action
from app.edge import core
from app.services.pipelines.show_pipelines import show_pipelines
from app.services.projects.create_project import create_project
from app.services.projects.show_projects import show_projects
from app.services.runs.runs_everywhere import runs_everywhere

_LATEST, _NEWEST = 8, 5


@pages.get("/")
def projects() -> ResponseReturnValue:
    search, after = request.args.get("search", "").strip(), request.args.get("after", "")
    if visitor() is None and not (search or after):
        found = show_projects(core(), None)
        if not found.rows:
            return redirect(url_for("pages.sign_in"))
    else:
        found = show_projects(core(), visitor(), search=search, after=after)
    latest = None if search or after else runs_everywhere(core(), visitor(), limit=_NEWEST)
    return render_template("projects/list.html", found=found, latest=latest, search=search)


@pages.get("/-/projects/new")
def new_project() -> ResponseReturnValue:
    signed_in()
    path = request.args.get("path", "")
    return render_template("projects/new.html", values={"full_path": path, "visibility": "private"}, error=None)


@pages.post("/-/projects/new")
def make_project() -> ResponseReturnValue:
    user, form = signed_in(), request.form
    try:
        project = create_project(
            core(),
            full_path=form.get("full_path", "").strip(),
            creator=user,
            visibility=form.get("visibility", "private"),
            mirror_url=form.get("mirror_url", "").strip() or None,
            description=form.get("description", "").strip()[:1000],
        )
    except (InvalidRequest, AlreadyExists, NotAllowed, NotFound) as error:
        field = getattr(error, "field", None) or "full_path"
        # What was typed comes back, but for an address that may hold a password.
        values = {name: form.get(name, "") for name in ("full_path", "visibility", "description")}
        return render_template("projects/new.html", values=values, error=(field, sentence(error))), 422
    return redirect(url_for("pages.project", path=project.full_path), 303)


@pages.get("/<namespace:path>")
def project(path: str) -> ResponseReturnValue:
    """A project's first page; where no project is, a group's."""
    try:
        found = open_project(path)
    except (NotFound, SignInRequired):
        if (of_group := group_page(path)) is None:
            raise
        return of_group
    rows = show_pipelines(core(), found, limit=_LATEST) if can(Action.READ_PIPELINE) else None
    g.section = "overview"
    return render_template("projects/show.html", project=found, found=rows)
