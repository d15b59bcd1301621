"""The bodies of this API's answers that are not JSON, and the JSON body of a request."""

import json
from http import HTTPStatus
from typing import Any

from flask import Response, request


class BadBody(Exception):
    """The body says that it is JSON, and is not."""


def word(status: int, text: str | None = None) -> Response:
    """A plain text: the status's own words, unless `text` says more. 204 has none."""
    body = "" if status == 204 else HTTPStatus(status).phrase if text is None else text
    return Response(body, status, mimetype="text/plain")


def json_body() -> Any:
    """The request's JSON object or list; an empty object where it has another type of body, or none.

    Raises BadBody.
    """
    if not request.is_json or not (data := request.get_data()):
        return {}
    try:
        found = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadBody from error
    if not isinstance(found, dict | list) or "\\u0000" in json.dumps(found):
        raise BadBody
    return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
