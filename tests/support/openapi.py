"""Holds answers against the OpenAPI document that the server gives of itself.

The document lets objects have more than it names, so that clients expect that. Here nothing may be there that it does
not name: what is added to an entity is added to its shape.
"""

from functools import cache
from typing import Any

import jsonschema_rs
from flask import Flask, Response, request

from app.api.gitlab_v4 import ENDPOINTS, PREFIX
from app.api.gitlab_v4.openapi.document import build
from app.api.gitlab_v4.openapi.inputs import address


@cache
def document() -> dict[str, Any]:
    """The document of all endpoints."""
    return build(ENDPOINTS)


def resolved(schema: Any, strict: bool = True) -> Any:
    """`schema` with what it refers to in its place; `strict`: objects have no other properties than those named."""
    if isinstance(schema, list):
        return [resolved(item, strict) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target: Any = document()
        for name in schema["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        return resolved(target, strict)
    closed = {"additionalProperties": False} if strict and isinstance(schema.get("properties"), dict) else {}
    return closed | {key: resolved(value, strict) for key, value in schema.items()}


@cache
def _validator(method: str, path: str, status: str, media: str) -> jsonschema_rs.Draft202012Validator | None:
    responses = document()["paths"][path][method]["responses"]
    strict = document()["paths"][path][method]["tags"] != ["Runner protocol"]  # what that sends is described in part
    content = resolved(responses[status], strict).get("content", {})
    if media not in content:
        return None
    return jsonschema_rs.Draft202012Validator(content[media]["schema"], validate_formats=True)


def differences(response: Response, method: str, path: str) -> list[str]:
    """What `response` has otherwise than the document says of `method` at `path` (as the document writes it)."""
    label = f"{method} {path} {response.status_code}"
    operation = document()["paths"].get(path, {}).get(method.lower().replace("head", "get"))
    if operation is None:
        return [f"{method} {path} is not in the document"]
    status = str(response.status_code)
    if status not in operation["responses"]:
        return [f"{label}: the document knows no such status: {response.get_data()[:200]!r}"]
    if method == "HEAD" or not response.is_json or response.status_code == 304:
        return []
    validator = _validator(method.lower(), path, status, "application/json")
    if validator is None:
        return [f"{label}: the document knows no JSON there"] if not _any_media(operation, status) else []
    errors = validator.iter_errors(response.get_json())
    return [f"{label}: {'.'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in errors]


def _any_media(operation: dict[str, Any], status: str) -> bool:
    return "*/*" in operation["responses"][status].get("content", {})


def watch(app: Flask) -> list[str]:
    """Look at every answer of `app` below /api/v4 from now on; the list that is returned grows with what is wrong.

    500 is passed over: tests provoke it to see that it is answered decently.
    """
    found: list[str] = []

    @app.after_request
    def look(response: Response) -> Response:
        rule = request.url_rule
        if rule is not None and rule.rule.startswith(PREFIX) and response.status_code != 500:
            found.extend(differences(response, request.method, address(rule.rule.removeprefix(PREFIX))))
        return response

    return found
