"""What an endpoint takes, as OpenAPI says it: in the path, in the query, in the body."""

import re
from collections.abc import Iterable
from typing import Any

from app.api.gitlab_v4.endpoint import Endpoint
from app.api.gitlab_v4.openapi.schema import Schema
from app.api.gitlab_v4.params import MAX_INTEGER, Kind, Param

#: The methods whose parameters belong into the body; they are taken from the query of any method all the same.
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_VALUE: Schema = {
    "anyOf": [
        {"type": ["string", "number", "boolean"]},
        {"type": "array", "items": {"type": ["string", "number", "boolean"]}},
    ]
}
_SCHEMAS: dict[Kind, Schema] = {
    Kind.TEXT: {"type": "string"},
    Kind.INTEGER: {"type": "integer", "minimum": -MAX_INTEGER, "maximum": MAX_INTEGER},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.TIME: {"type": "string", "format": "date-time"},
    Kind.VALUE: _VALUE,
    Kind.VALUES: {"type": "object", "additionalProperties": _VALUE},
    Kind.ANY_OBJECT: {"type": "object"},
}


def schema_of(param: Param) -> Schema:
    """The schema of a parameter's value."""
    schema = _base(param)
    if param.values:
        target = schema["items"] if param.kind is Kind.LIST else schema
        target["enum"] = list(param.values)
    if not param.blank and param.kind is Kind.TEXT:
        schema["minLength"] = 1
    if param.default is not None and not isinstance(param.default, tuple):
        schema["default"] = param.default
    return schema


def _base(param: Param) -> Schema:
    if param.kind is Kind.LIST:
        return {"type": "array", "items": {"type": "string"}}
    if param.kind is Kind.OBJECTS:
        return {"type": "array", "items": object_of(param.fields)}
    if param.kind is Kind.OBJECT:
        return (
            object_of(param.fields) if param.fields else {"type": "object", "additionalProperties": {"type": "string"}}
        )
    return dict(_SCHEMAS[param.kind])


def object_of(params: Iterable[Param]) -> Schema:
    """The schema of an object that has `params` as fields."""
    params = list(params)
    schema: Schema = {"type": "object", "properties": {param.name: described(param) for param in params}}
    if required := [param.name for param in params if param.required]:
        schema["required"] = required
    return schema


def described(param: Param) -> Schema:
    """`schema_of` with what the parameter is for."""
    return schema_of(param) | ({"description": param.help} if param.help else {})


def address(path: str) -> str:
    """`/projects/<path:id>` as OpenAPI writes it: `/projects/{id}`."""
    return re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", path)


def parameters(endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
    """The parameters of `endpoint` at `path` that do not belong into a body."""
    named = set(re.findall(r"{(\w+)}", address(path)))
    shown = [_in_path(param) for param in endpoint.path_params if param.name in named]
    if endpoint.method not in WITH_BODY:
        shown += [_in_query(param) for param in endpoint.params if param.name not in named]
    return shown


def _in_path(param: Param) -> dict[str, Any]:
    schema = schema_of(param) | ({"minLength": 1} if param.kind is Kind.TEXT else {})
    shown = {"name": param.name, "in": "path", "required": True, "schema": schema}
    return shown | ({"description": _ID} if param.name == "id" else {})


_ID = "The id, or the full path with its slashes encoded: group%2Fproject"


def _in_query(param: Param) -> dict[str, Any]:
    many = param.kind is Kind.LIST
    shown: dict[str, Any] = {
        "name": f"{param.name}[]" if many else param.name,
        "in": "query",
        "schema": schema_of(param),
    }
    if param.required:
        shown["required"] = True
    if param.help:
        shown["description"] = param.help
    return shown


def body(endpoint: Endpoint, path: str) -> dict[str, Any] | None:
    """The body of `endpoint`, None where it takes none. A form says objects and lists as `name[key]` and `name[]`."""
    named = set(re.findall(r"{(\w+)}", address(path)))
    params = [param for param in endpoint.params if param.name not in named]
    if endpoint.method not in WITH_BODY or not params:
        return None
    schema = object_of(params)
    kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
    return {"required": "required" in schema, "content": {kind: {"schema": schema} for kind in kinds}}
