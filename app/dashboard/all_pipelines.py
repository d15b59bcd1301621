"""The pipelines of all projects that the visitor may look at."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import SignInRequired, visitor
from app.dashboard.routing import key_argument
from app.http.edge import core
from app.services.key_pages import Cursor
from app.services.runs.runs_everywhere import runs_everywhere


@pages.get("/-/pipelines")
def all_pipelines() -> ResponseReturnValue:
    search = request.args.get("search", "")
    cursor = Cursor(key_argument("before"), key_argument("after"))
    found = runs_everywhere(core(), visitor(), search=search, cursor=cursor)
    if visitor() is None and not found.rows and not search:
        raise SignInRequired
    return render_template("pipelines/everywhere.html", found=found, search=search)
