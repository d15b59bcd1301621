"""What a search box offers while somebody writes in it."""

from collections.abc import Sequence

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, visitor
from app.domain.permissions import Action
from app.http.edge import core
from app.services.runs.suggest_searches import suggest_searches

_LONGEST = 500


@pages.get("/-/search/suggestions")
def suggestions_everywhere() -> ResponseReturnValue:
    """As `suggestions`, for the lists over all projects."""
    return _options(suggest_searches(core(), visitor(), _text(), jobs="jobs" in request.args))


@pages.get("/<project:path>/-/search/suggestions")
def suggestions(path: str) -> ResponseReturnValue:
    """How `search` may go on, as options that are whole queries; `jobs=1`: for the list of jobs."""
    project = open_project(path, Action.READ_PIPELINE)
    return _options(suggest_searches(core(), visitor(), _text(), project=project, jobs="jobs" in request.args))


def _options(queries: Sequence[str]) -> str:
    return render_template("suggestions.html", queries=queries)


def _text() -> str:
    return request.args.get("search", "")[:_LONGEST]
