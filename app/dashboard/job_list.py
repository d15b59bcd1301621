"""The jobs of a project."""

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project
from app.dashboard.routing import key_argument
from app.domain.permissions import Action
from app.http.edge import core
from app.services.jobs.search_jobs import STRETCH, search_jobs
from app.services.key_pages import Cursor


@pages.get("/<project:path>/-/jobs")
def jobs(path: str) -> ResponseReturnValue:
    project = open_project(path, Action.READ_JOB)
    search = request.args.get("search", "")
    found = search_jobs(core(), project, search=search, cursor=Cursor(key_argument("before"), key_argument("after")))
    g.section = "jobs"
    return render_template("jobs/list.html", project=project, found=found, search=search, stretch=STRETCH)
