"""Refusals as this API says them: a status and its own words."""

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from app.api.candor.answers import BadBody, word
from app.domain.errors import Conflict, InvalidRequest, LimitExceeded, NotAllowed, NotFound, SkerryError, StorageFull
from app.http.edge import DATABASE_TROUBLE, RETRY_AFTER, core

log = structlog.get_logger(__name__)

_STATUS = {NotFound: 404, NotAllowed: 403, InvalidRequest: 400, Conflict: 400, LimitExceeded: 413, StorageFull: 507}


def attach(blueprint: Blueprint) -> None:
    """Translate what the views of `blueprint` raise."""
    blueprint.register_error_handler(SkerryError, _refused)
    blueprint.register_error_handler(BadBody, lambda error: word(400))
    blueprint.register_error_handler(HTTPException, _http)
    for kind in DATABASE_TROUBLE:
        blueprint.register_error_handler(kind, _database)


def _refused(error: SkerryError) -> Response:
    core().session.rollback()
    return word(next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400))


def _http(error: HTTPException) -> Response:
    return word(error.code or 500)


def _database(error: Exception) -> Response:
    """The database is away, full or busy: worth another try, and nobody else's business."""
    log.error("the database does not work", exc_info=error, method=request.method, path=request.path)
    answer = word(503)
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer
