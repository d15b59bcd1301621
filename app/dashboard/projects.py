"""The list of projects, and the first page of one, or of a group."""

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import SignInRequired, can, open_project, visitor
from app.dashboard.groups import group_page
from app.domain.errors import NotFound
from app.domain.permissions import Action
from app.http.edge import core
from app.services.pipelines.show_pipelines import show_pipelines
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
