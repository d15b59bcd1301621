"""A project's releases."""

from flask import g, render_template
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project
from app.dashboard.routing import key_argument
from app.domain.permissions import Action
from app.http.edge import core
from app.services.releases.find_releases import project_releases

PER_PAGE = 20


@pages.get("/<project:path>/-/releases")
def releases(path: str) -> ResponseReturnValue:
    """The last first; `?page=` counts from 1."""
    project = open_project(path, Action.READ_RELEASES)
    g.section, page = "releases", key_argument("page") or 1
    query = project_releases(project).limit(PER_PAGE + 1).offset((min(page, 10**6) - 1) * PER_PAGE)
    rows = core().session.scalars(query).unique().all()
    return render_template(
        "releases/list.html", project=project, releases=rows[:PER_PAGE], page=page, more=len(rows) > PER_PAGE
    )
