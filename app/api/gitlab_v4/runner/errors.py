"""What is refused, in the only form that a runner reads: `{"message": …}` (gitlab.md A.0)."""

from typing import Any

import structlog
from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from app.domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidReport,
    InvalidRequest,
    LimitExceeded,
    NotAllowed,
    NotFound,
    SkerryError,
    StorageFull,
)
from app.http.edge import DATABASE_TROUBLE, RETRY_AFTER
from app.services.runners.job_authority import NotProcessing
from app.services.runners.register_runner import RegistrationClosed

log = structlog.get_logger(__name__)

_STATUS: tuple[tuple[type[SkerryError], int], ...] = (
    (RegistrationClosed, 410),
    (NotAllowed, 403),
    (NotFound, 404),
    (AlreadyExists, 400),
    (Conflict, 409),
    (LimitExceeded, 413),
    (StorageFull, 503),
    (InvalidRequest, 400),
)
_NAMES = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    410: "Gone",
    413: "Request Entity Too Large",
    503: "Service Unavailable",
}


def answer(status: int, message: Any) -> Response:
    """A JSON error. `message` is a text, or {field: [texts]}."""
    response = jsonify(message=message)
    response.status_code = status
    return response


def refuse(error: SkerryError) -> Response:
    """The answer to anything that a service refused."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
    response = answer(status, _message(error, status))
    if isinstance(error, NotProcessing) and error.job_status:
        response.headers["Job-Status"] = error.job_status
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _message(error: SkerryError, status: int) -> Any:
    if isinstance(error, AlreadyExists | InvalidReport):
        return str(error)
    if isinstance(error, InvalidRequest) and error.field:
        return {error.field: [str(error)]}
    title = f"{status} {_NAMES.get(status, 'Bad Request')}"
    return f"{title} - {error}" if str(error) else title


def _http(error: HTTPException) -> Response:
    return answer(error.code or 500, f"{error.code} {error.name}")


def _unexpected(error: Exception) -> Response:
    log.error("request failed", exc_info=error, method=request.method, path=request.path)
    return answer(500, "500 Internal Server Error")


def _database(error: Exception) -> Response:
    log.error("the database does not work", exc_info=error, method=request.method, path=request.path)
    response = answer(503, "503 Service Unavailable")
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def install(blueprint: Blueprint) -> None:
    """Let the views of `blueprint` raise what services raise."""
    blueprint.register_error_handler(SkerryError, refuse)
    blueprint.register_error_handler(HTTPException, _http)
    for kind in DATABASE_TROUBLE:
        blueprint.register_error_handler(kind, _database)
    blueprint.register_error_handler(Exception, _unexpected)
