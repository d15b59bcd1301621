"""The jobs of all projects that the visitor may look at."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import SignInRequired, visitor
from app.dashboard.routing import key_argument
from app.http.edge import core
from app.services.jobs.search_jobs import STRETCH, jobs_everywhere
from app.services.key_pages import Cursor


@pages.get("/-/jobs")
def all_jobs() -> ResponseReturnValue:
    search = request.args.get("search", "")
    cursor = Cursor(key_argument("before"), key_argument("after"))
    found = jobs_everywhere(core(), visitor(), search=search, cursor=cursor)
    if visitor() is None and not found.page.rows and not search:
        raise SignInRequired
    return render_template("jobs/everywhere.html", found=found, search=search, stretch=STRETCH)
