"""Errors in this API's one form: `{"status": "error", "error": "…"}`.

The seeds name no HTTP status for them. Clients look at `response.ok`, so errors are 4xx and 5xx (layerci.md B.1).
"""

import structlog
from flask import Blueprint, Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from app.domain import errors as domain
from app.http.edge import DATABASE_TROUBLE, RETRY_AFTER

log = structlog.get_logger(__name__)

#: The most special class first: the first that fits is taken.
_STATUSES: tuple[tuple[type[domain.SkerryError], int], ...] = (
    (domain.InvalidRequest, 400),
    (domain.NotFound, 404),
    (domain.NotAllowed, 403),
    (domain.Conflict, 409),
    (domain.LimitExceeded, 413),
    (domain.StorageFull, 507),
)


class ApiError(Exception):
    """An answer that ends the request. `message` is a sentence for the caller."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def render(status: int, message: str) -> Response:
    response = jsonify({"status": "error", "error": message})
    response.status_code = status
    return response


def _refused(error: domain.SkerryError) -> Response:
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)
    return render(status, str(error))


def _http(error: HTTPException) -> Response:
    """What Werkzeug refuses by itself: a body that is too large, was cut off, or is no form."""
    return render(error.code or 500, error.name)


def _unexpected(error: Exception) -> Response:
    """Ours to mend. The log has the whole story under the request's id; the caller learns nothing of our insides."""
    log.error(
        "request failed", exc_info=error, method=request.method, path=request.path, request_id=g.get("request_id")
    )
    return render(500, "Internal Server Error")


def _database(error: Exception) -> Response:
    """The database is away, full or busy: worth another try, and nobody else's business."""
    log.error("the database does not work", exc_info=error, method=request.method, path=request.path)
    response = render(503, "Service Unavailable")
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def attach(blueprint: Blueprint) -> None:
    """Make every error of `blueprint`'s views an answer in this API's form."""
    blueprint.register_error_handler(ApiError, lambda error: render(error.status, str(error)))
    blueprint.register_error_handler(domain.SkerryError, _refused)
    blueprint.register_error_handler(HTTPException, _http)
    for kind in DATABASE_TROUBLE:
        blueprint.register_error_handler(kind, _database)
    blueprint.register_error_handler(Exception, _unexpected)


def answer_unrouted(app: Flask, prefix: str) -> None:
    """Below `prefix`, an unknown address or verb is answered in this form too (no blueprint is chosen, so none can)."""

    @app.before_request
    def _unrouted() -> Response | None:
        refused = request.routing_exception
        if not isinstance(refused, HTTPException) or not request.path.startswith(prefix + "/"):
            return None
        if refused.code not in (404, 405):
            return None
        response = render(refused.code, refused.name)
        if methods := getattr(refused, "valid_methods", None):
            response.headers["Allow"] = ", ".join(sorted(methods))
        return response
