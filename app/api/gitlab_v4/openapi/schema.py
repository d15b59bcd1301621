"""JSON Schema (2020-12, the one of OpenAPI 3.1) out of Python's types.

What a JSON object holds is written down as a TypedDict; here it becomes a schema of its own, named after it:

    class Job(TypedDict):
        id: int
        started_at: Time | None
        failure_reason: NotRequired[str]

Known are the JSON types, `list`, `dict[str, …]`, `Literal`, `|`, `Any`, TypedDicts, and `Annotated[str, ("format",
"date")]`, whose pairs are keywords of the schema.
"""

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

Schema = dict[str, Any]

_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    Any: {},
}


class Schemas:
    """Collects the schemas of TypedDicts: `found` has them by name, and `of` refers to them."""

    def __init__(self) -> None:
        self.found: dict[str, Schema] = {}

    def of(self, kind: Any) -> Schema:
        """The schema of `kind`. Raises TypeError for a type that JSON does not know."""
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Annotated:
            more = {word: list(value) if isinstance(value, tuple) else value for word, value in arguments[1:]}
            return self.of(arguments[0]) | more
        if origin in (Required, NotRequired):
            return self.of(arguments[0])
        if origin in (Union, UnionType):
            return self._either(arguments)
        if origin is Literal:
            return {"type": "string", "enum": list(arguments)}
        if origin is list:
            return {"type": "array", "items": self.of(arguments[0])}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if hasattr(kind, "__required_keys__"):
            return self._object(kind)
        raise TypeError(f"{kind!r} is no type of JSON")

    def _either(self, kinds: tuple[Any, ...]) -> Schema:
        schemas = [self.of(kind) for kind in kinds]
        first, *others = schemas
        if others == [{"type": "null"}] and isinstance(first.get("type"), str) and "enum" not in first:
            return first | {"type": [first["type"], "null"]}
        return {"anyOf": schemas}

    def _object(self, kind: Any) -> Schema:
        if kind.__name__ not in self.found:
            self.found[kind.__name__] = {}  # its place is taken, should it be part of itself
            hints = get_type_hints(kind, include_extras=True)
            schema: Schema = {"type": "object", "properties": {name: self.of(hint) for name, hint in hints.items()}}
            if required := [name for name in hints if name in kind.__required_keys__]:
                schema["required"] = required
            if kind.__doc__:
                schema = {"description": " ".join(kind.__doc__.split())} | schema
            self.found[kind.__name__] = schema
        return {"$ref": f"#/components/schemas/{kind.__name__}"}
