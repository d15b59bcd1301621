"""The API as a page: every operation of /api/v4, by subject, out of the OpenAPI document."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.http.edge import api_document

_FORM = "application/json"


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter: where it stands, and in words what it may be."""

    name: str
    place: str
    kind: str
    required: bool
    help: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An operation. `answers`: statuses, and what the good ones hold."""

    method: str
    path: str
    operation: dict[str, Any]
    rows: list[Row]
    answers: list[tuple[str, str]]


@pages.get("/-/api")
def api_reference() -> ResponseReturnValue:
    document = api_document()
    subjects: dict[str, list[Shown]] = {}
    for shown in _operations(document):
        subjects.setdefault(shown.operation["tags"][0], []).append(shown)
    return render_template("api/reference.html", info=document["info"], subjects=dict(sorted(subjects.items())))


def _operations(document: dict[str, Any]) -> Iterator[Shown]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            rows = [*_rows(operation), *_fields(operation)]
            yield Shown(method.upper(), document["servers"][0]["url"] + path, operation, rows, _answers(operation))


def _rows(operation: dict[str, Any]) -> Iterator[Row]:
    for param in operation["parameters"]:
        schema, required = param["schema"], param.get("required", False)
        yield Row(param["name"], param["in"], kind_of(schema), required, param.get("description", ""))


def _fields(operation: dict[str, Any]) -> Iterator[Row]:
    content = operation.get("requestBody", {}).get("content", {})
    schema: dict[str, Any] = next((media["schema"] for media in content.values()), {})
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        yield Row(name, "body", kind_of(field), name in required, field.get("description", ""))


def _answers(operation: dict[str, Any]) -> list[tuple[str, str]]:
    """Each status, with what a good answer holds."""
    shown = []
    for status, answer in operation["responses"].items():
        media = next(iter(answer.get("content", {}).items()), None)
        holds = "" if media is None else kind_of(media[1]["schema"]) if media[0] == _FORM else "a file"
        shown.append((status, holds))
    return shown


def kind_of(schema: dict[str, Any]) -> str:
    """A schema in a few words: `integer`, `list of Job`, `one of fetch, clone`."""
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind_of(part) for part in schema["anyOf"]))
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    words = kind if isinstance(kind, list) else [schema.get("format", kind)]
    return " or ".join(words)
