"""Errors as Wercker wrote them: Boom's three keys, and Joi's `details` where a parameter is wrong (wercker.md C.1)."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from flask import Blueprint, Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from app.domain import errors as domain
from app.http.edge import DATABASE_TROUBLE, RETRY_AFTER

log = structlog.get_logger(__name__)
UNAUTHORIZED = "You are not authorized to access the resource"
FORBIDDEN = "You are not allowed to do this"
#: What a field of the services is called here.
_FIELDS = {
    "branch": "branch",
    "commit": "commitHash",
    "source": "sourceRunId",
    "config_path": "pipelineName",
    "ignored_branches": "ignoredBranches",
    "masked": "protected",
}


class ApiError(Exception):
    """An answer that ends the request. `details` are Joi's, of what is wrong with the parameters."""

    def __init__(self, status: int, message: str, details: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(f"{status} {message}")
        self.status, self.message, self.details = status, message, list(details)

    @property
    def body(self) -> dict[str, Any]:
        body = {"statusCode": self.status, "error": HTTPStatus(self.status).phrase, "message": self.message}
        return body | ({"details": self.details} if self.details else {})


def detail(path: str, rule: str, problem: str, **context: Any) -> dict[str, Any]:
    """One of Joi's details: `problem` is what follows the parameter's name in the message."""
    key = path.rpartition(".")[2]
    return {"message": f"{path} {problem}", "path": path, "type": rule, "context": {"key": key, **context}}


def invalid(details: Sequence[dict[str, Any]]) -> ApiError:
    """400, which names everything that is wrong."""
    return ApiError(400, ". ".join(each["message"] for each in details), details)


def unauthorized() -> ApiError:
    return ApiError(401, UNAUTHORIZED)


def forbidden() -> ApiError:
    return ApiError(403, FORBIDDEN)


def _request(error: domain.InvalidRequest) -> ApiError:
    field = _FIELDS.get(error.field or "", error.field)
    return invalid([detail(field, "any.invalid", f"is invalid: {error}")]) if field else ApiError(400, str(error))


#: The most special class first: the first that fits is taken.
_TRANSLATIONS: tuple[tuple[type[domain.SkerryError], Callable[[Any], ApiError]], ...] = (
    (domain.InvalidConfiguration, lambda error: ApiError(422, str(error))),
    (domain.InvalidRequest, _request),
    (domain.NotFound, lambda error: ApiError(404, str(error))),
    (domain.NotAllowed, lambda error: forbidden()),
    (domain.AlreadyExists, lambda error: invalid([detail(error.field or "name", "any.unique", f"is taken: {error}")])),
    (domain.Conflict, lambda error: ApiError(422, str(error))),
    (domain.LimitExceeded, lambda error: ApiError(413, str(error))),
    (domain.StorageFull, lambda error: ApiError(507, str(error))),
)


def translate(error: domain.SkerryError) -> ApiError:
    """What the API answers to an error of the domain."""
    for kind, answer in _TRANSLATIONS:
        if isinstance(error, kind):
            return answer(error)
    return ApiError(400, str(error))


def render(error: ApiError) -> Response:
    response = jsonify(error.body)
    response.status_code = error.status
    return response


def _http(error: HTTPException) -> Response:
    """What Werkzeug refuses by itself: a body that is too large or was cut off."""
    code = error.code or 500
    return render(ApiError(code, HTTPStatus(code).phrase))


def _unexpected(error: Exception) -> Response:
    """Ours to mend. The log has the whole story under the request's id; the caller learns nothing of our insides."""
    log.error(
        "request failed", exc_info=error, method=request.method, path=request.path, request_id=g.get("request_id")
    )
    return render(ApiError(500, "An internal server error occurred"))


def _database(error: Exception) -> Response:
    """The database is away, full or busy: worth another try, and nobody else's business."""
    log.error("the database does not work", exc_info=error, method=request.method, path=request.path)
    response = render(ApiError(503, HTTPStatus(503).phrase))
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


def answer_unrouted(app: Flask, prefixes: tuple[str, ...]) -> None:
    """Below `prefixes`, an unknown address or verb is answered in JSON too (no blueprint is chosen, so none can)."""

    @app.before_request
    def _unrouted() -> Response | None:
        refused = request.routing_exception
        if not isinstance(refused, HTTPException) or not request.path.startswith(prefixes):
            return None
        if refused.code not in (404, 405):
            return None
        methods = _methods(app)
        code = 405 if methods else 404
        response = render(ApiError(code, HTTPStatus(code).phrase))
        if methods:
            response.headers["Allow"] = ", ".join(methods)
        return response


def _methods(app: Flask) -> list[str]:
    """The verbs that the address takes. Routing itself knows them only for the spelling with a slash at the end."""
    adapter, path = app.create_url_adapter(request), f"{request.path.rstrip('/')}/"
    return sorted(method for method in adapter.allowed_methods(path) if adapter.test(path, method)) if adapter else []
