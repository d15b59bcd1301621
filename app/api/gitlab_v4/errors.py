"""Errors in the words and shapes of GitLab's API (gitlab.md B.0).

Its parser says `{"error": …}`, its code `{"message": …}`.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import structlog
from flask import Blueprint, Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from app.domain import errors as domain
from app.http.edge import DATABASE_TROUBLE, RETRY_AFTER

log = structlog.get_logger(__name__)

#: Rows that GitLab looks up with its framework's own words, which do not name them.
_UNNAMED = frozenset({"Job", "Pipeline"})


class ApiError(Exception):
    """An answer that ends the request: `status`, a JSON `body`, and headers."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body, self.headers = status, body, headers or {}


class BadParams(ApiError):
    """A parameter is missing or makes no sense: 400 `{"error": "ref is missing"}`."""

    def __init__(self, problems: str) -> None:
        super().__init__(400, {"error": problems})


def message(status: int, text: str) -> ApiError:
    """`{"message": "404 Not Found"}` and its kin."""
    return ApiError(status, {"message": text})


def unauthorized() -> ApiError:
    return message(401, "401 Unauthorized")


def forbidden(reason: str = "") -> ApiError:
    return message(403, f"403 Forbidden - {reason}" if reason else "403 Forbidden")


def bad_request(reason: str = "") -> ApiError:
    return message(400, f"400 Bad request - {reason}" if reason else "400 Bad request")


def not_found(what: str = "") -> ApiError:
    if what in _UNNAMED:
        return message(404, "404 Not found")
    return message(404, f"404 {what} Not Found" if what else "404 Not Found")


def invalid_token(description: str) -> ApiError:
    """The answer to a bearer token that opens nothing."""
    challenge = f'Bearer realm="Protected by OAuth 2.0", error="invalid_token", error_description="{description}"'
    return ApiError(401, {"error": "invalid_token", "error_description": description}, {"WWW-Authenticate": challenge})


def insufficient_scope(needed: tuple[str, ...]) -> ApiError:
    text = "The request requires higher privileges than provided by the access token."
    return ApiError(403, {"error": "insufficient_scope", "error_description": text, "scope": " ".join(needed)})


def _configuration(error: domain.InvalidConfiguration) -> ApiError:
    return ApiError(400, {"message": {"base": [str(error)]}})


def _invalid(error: domain.InvalidRequest) -> ApiError:
    return ApiError(400, {"message": {error.field: [str(error)]}}) if error.field else bad_request(str(error))


def _taken(error: domain.AlreadyExists) -> ApiError:
    return ApiError(400, {"message": {error.field or "base": [str(error)]}})


#: The most special class first: the first that fits is taken.
_TRANSLATIONS: tuple[tuple[type[domain.SkerryError], Callable[[Any], ApiError]], ...] = (
    (domain.InvalidConfiguration, _configuration),
    (domain.InvalidRequest, _invalid),
    (domain.NotFound, lambda error: not_found(error.what)),
    (domain.NotAllowed, lambda error: forbidden()),
    (domain.NotRetryable, lambda error: forbidden("Job is not retryable")),
    (domain.NotErasable, lambda error: forbidden("Job is not erasable!")),
    (domain.NotPlayable, lambda error: bad_request("Unplayable Job")),
    (domain.AlreadyExists, _taken),
    (domain.Conflict, lambda error: message(409, f"409 Conflict - {error}")),
    (domain.LimitExceeded, lambda error: message(413, "413 Request Entity Too Large")),
    (domain.StorageFull, lambda error: message(507, "507 Insufficient Storage")),
)


def translate(error: domain.SkerryError) -> ApiError:
    """What the API answers to an error of the domain."""
    for kind, answer in _TRANSLATIONS:
        if isinstance(error, kind):
            return answer(error)
    return bad_request(str(error))


def render(error: ApiError) -> Response:
    response = jsonify(error.body)
    response.status_code = error.status
    response.headers.update(error.headers)
    return response


def _http(error: HTTPException) -> Response:
    """What Werkzeug refuses by itself: a body that is too large, was cut off, or is no form."""
    code = error.code or 500
    if code == 413:
        return render(message(413, "413 Request Entity Too Large"))
    return render(message(code, f"{code} {error.name}"))


def _unexpected(error: Exception) -> Response:
    """Ours to mend. The log has the whole story under the request's id; the caller learns nothing of our insides."""
    log.error(
        "request failed", exc_info=error, method=request.method, path=request.path, request_id=g.get("request_id")
    )
    return render(message(500, "500 Internal Server Error"))


def _database(error: Exception) -> Response:
    log.error("the database does not work", exc_info=error, method=request.method, path=request.path)
    response = render(message(503, "503 Service Unavailable"))
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def attach(blueprint: Blueprint) -> None:
    """Make every error of `blueprint`'s views an answer in this API's form."""
    blueprint.register_error_handler(ApiError, render)
    blueprint.register_error_handler(domain.SkerryError, lambda error: render(translate(error)))
    blueprint.register_error_handler(HTTPException, _http)
    for kind in DATABASE_TROUBLE:
        blueprint.register_error_handler(kind, _database)
    blueprint.register_error_handler(Exception, _unexpected)


def answer_unrouted(app: Flask, prefix: str) -> None:
    """Below `prefix`, an unknown address or verb is answered in JSON too (no blueprint is chosen, so none can)."""

    @app.before_request
    def _unrouted() -> Response | None:
        refused = request.routing_exception
        if not isinstance(refused, HTTPException) or not request.path.startswith(prefix + "/"):
            return None
        # An address with a NUL in it names nothing, whatever the router says of those that differ in the verb alone.
        if refused.code == 405 and "\0" not in unquote(request.path):
            return _with_allow(render(ApiError(405, {"error": "405 Not Allowed"})), refused)
        return render(ApiError(404, {"error": "404 Not Found"})) if refused.code in (404, 405) else None


def _with_allow(response: Response, refused: HTTPException) -> Response:
    methods = getattr(refused, "valid_methods", None)
    if methods:
        response.headers["Allow"] = ", ".join(sorted(methods))
    return response
