"""Badges at Wercker's old addresses: `/status/KEY/s` or `/m`, with a branch behind it if you like.

The key is all that is needed, also for a private application: it opens nothing else.
"""

from html import escape

from flask import Blueprint, Response, redirect, request
from sqlalchemy import select
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from app.domain import status
from app.http.edge import core
from app.models import Project
from app.services.pipelines.predefined import web_url
from app.services.runs import pipeline_history
from app.services.runs.pipeline_history import History

blueprint = Blueprint("wercker_badges", __name__)
#: The height of a size, in pixels.
HEIGHTS = {"s": 18, "m": 22}
_WORDS = {
    status.SUCCESS: ("passing", "#27734b"),
    status.FAILED: ("failed", "#b3261e"),
    status.CANCELED: ("aborted", "#5f6368"),
}
_UNKNOWN = ("unknown", "#5f6368")
_LABEL = "build"
#: The width of a character, and the room around a word, as parts of the height.
_CHARACTER, _ROOM = 0.38, 0.7


@blueprint.get("/status/<badge_key>/<size>/", strict_slashes=False)
@blueprint.get("/status/<badge_key>/<size>/<path:branch>")
def get_badge(badge_key: str, size: str, branch: str | None = None) -> Response:
    """The outcome of the last run of a branch that has finished; of the default branch when none is named."""
    if size not in HEIGHTS:
        raise NotFound
    project = _project(badge_key)
    wanted = History(project_id=project.id, ref=branch or project.default_branch, tag=False, statuses=frozenset(_WORDS))
    last = core().session.scalar(pipeline_history.pipelines(wanted).limit(1))
    word, color = _WORDS[last.status] if last else _UNKNOWN
    response = Response(draw(word, color, HEIGHTS[size]), content_type="image/svg+xml; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.get("/project/bykey/<badge_key>/", strict_slashes=False)
@blueprint.get("/project/byKey/<badge_key>/", strict_slashes=False)
def get_application_of_badge(badge_key: str) -> AnyResponse:
    """The page of the application that a badge is about."""
    return redirect(web_url(core(), _project(badge_key)))


def _project(badge_key: str) -> Project:
    found = core().session.scalar(select(Project).where(Project.badge_key == badge_key))
    if found is None:
        raise NotFound
    return found


def draw(word: str, color: str, height: int) -> str:
    """A badge that says `word`, as SVG."""
    left, right = _width(_LABEL, height), _width(word, height)
    label, said, total = escape(_LABEL), escape(word), left + right
    size, base = round(height * 0.6), round(height * 0.7)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{height}" role="img" '
        f'aria-label="{label}: {said}"><title>{label}: {said}</title>'
        f'<rect width="{total}" height="{height}" rx="3" fill="{color}"/>'
        f'<path d="M3 0h{left - 3}v{height}H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="#3c4043"/>'
        f'<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="{size}">'
        f'<text x="{left / 2:g}" y="{base}">{label}</text><text x="{left + right / 2:g}" y="{base}">{said}</text>'
        "</g></svg>"
    )


def _width(word: str, height: int) -> int:
    return round(height * (len(word) * _CHARACTER + _ROOM))
