"""What a search box offers while somebody writes in it."""

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, visitor
from app.domain.permissions import Action
from app.edge import core
from app.services.runs.suggest_searches import suggest_searches

_LONGEST = 500


@pages.get("/-/search/suggestions")
def suggestions_everywhere() -> ResponseReturnValue:
    """As `suggestions`, for the lists over all projects."""
    return jsonify(suggest_searches(core(), visitor(), _text(), jobs="jobs" in request.args))


@pages.get("/<project:path>/-/search/suggestions")
def suggestions(path: str) -> ResponseReturnValue:
    """A list of whole queries; `jobs=1`: for the list of jobs."""
    project = open_project(path, Action.READ_PIPELINE)
    return jsonify(suggest_searches(core(), visitor(), _text(), project=project, jobs="jobs" in request.args))


def _text() -> str:
    return request.args.get("text", "")[:_LONGEST]
