"""What an endpoint answers, as OpenAPI says it: statuses, headers, schemas."""

from typing import Any

from werkzeug.http import HTTP_STATUS_CODES

from app.api.gitlab_v4.endpoint import Endpoint
from app.api.gitlab_v4.openapi.answers import Answer
from app.api.gitlab_v4.openapi.schema import Schema, Schemas
from app.api.gitlab_v4.openapi.shapes.common import SaidError, SaidMessage

#: What every endpoint may answer: nothing else is refused, or breaks, anywhere. 500 is not among them.
REFUSALS = (400, 401, 403, 404, 413, 429, 503)
#: And every one that writes.
WRITE_REFUSALS = (409, 507)
_SAFE = frozenset({"GET", "HEAD"})
_RATE = ("Limit", "Observed", "Remaining", "Reset")
_PAGE = {
    "X-Page": "This page, from 1",
    "X-Per-Page": "Rows of a page",
    "X-Next-Page": "The next page; empty on the last",
    "X-Prev-Page": "The page before; empty on the first",
    "X-Total": "How many rows there are; left out where nobody counts them",
    "X-Total-Pages": "How many pages; left out likewise",
    "Link": "Where other pages are (RFC 8288): first, prev, next, last",
}
_KEYED = {"X-NEXT-CURSOR": "Where the next page by key begins"}


def components(schemas: Schemas) -> dict[str, Any]:
    """Headers and refusals that the operations refer to."""
    either = {"anyOf": [schemas.of(SaidMessage), schemas.of(SaidError)]}
    headers = {name: {"description": text, "schema": {"type": "string"}} for name, text in (_PAGE | _KEYED).items()}
    headers |= {f"RateLimit-{name}": _number(_RATE_TEXTS[name]) for name in _RATE}
    headers["Retry-After"] = _number("How soon to try again, in seconds")
    statuses = (*REFUSALS, *WRITE_REFUSALS, 405, 412, 416)
    return {"headers": headers, "responses": {name_of(status): _refusal(status, either) for status in statuses}}


_RATE_TEXTS = {
    "Limit": "How many requests this caller has a minute; left out where there is no limit",
    "Observed": "How many of them this minute has seen",
    "Remaining": "How many are left",
    "Reset": "When the next minute begins, in seconds since 1970",
}


def _number(text: str) -> dict[str, Any]:
    return {"description": text, "schema": {"type": "integer"}}


def name_of(status: int) -> str:
    """The name of a refusal among the components."""
    return f"Refused{status}"


def _refusal(status: int, schema: Schema) -> dict[str, Any]:
    names = ["Retry-After"] if status in (429, 503) else []
    return {
        "description": HTTP_STATUS_CODES[status],
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {"application/json": {"schema": schema}},
    }


def responses(endpoint: Endpoint, answer: Answer, schemas: Schemas) -> dict[str, Any]:
    """The answers of `endpoint`, by status."""
    good = [status for status in (endpoint.status, *answer.also) if status < 300]
    if answer.also == (302,):
        good = []
    shown = {str(status): _good(status, endpoint, answer, schemas) for status in good}
    shown |= {str(status): {"description": HTTP_STATUS_CODES[status]} for status in answer.also if 300 <= status < 400}
    refused = [*REFUSALS, *(status for status in answer.also if status >= 400)]
    if endpoint.method not in _SAFE:
        refused += WRITE_REFUSALS
    if any(param.name == "pagination" for param in endpoint.params):
        refused.append(405)
    for status in sorted(set(refused)):
        shown[str(status)] = {"$ref": f"#/components/responses/{name_of(status)}"}
    return shown


def _good(status: int, endpoint: Endpoint, answer: Answer, schemas: Schemas) -> dict[str, Any]:
    shown: dict[str, Any] = {"description": HTTP_STATUS_CODES[status], "headers": _headers(endpoint)}
    if answer.media:
        shown["content"] = {answer.media: {"schema": {}}}
    elif answer.shape is not None:
        shown["content"] = {"application/json": {"schema": schemas.of(answer.shape)}}
    return shown


def _headers(endpoint: Endpoint) -> dict[str, Any]:
    names = {param.name for param in endpoint.params}
    wanted = [f"RateLimit-{name}" for name in _RATE]
    if "per_page" in names:
        wanted += _PAGE
    if "cursor" in names:
        wanted += _KEYED
    return {name: {"$ref": f"#/components/headers/{name}"} for name in wanted}
