"""Plans as JSON and back, for the rows that keep them.

A field that has its default is left out: rows stay small, and old rows can be read when a later version adds a field.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_json(value: Any) -> dict[str, Any]:
    """A dataclass of `app.domain.plan` as a dict that `json.dumps` takes, without fields that have their default."""
    found: dict[str, Any] = {}
    for field in fields(value):
        content = getattr(value, field.name)
        if content != _default(field):
            found[field.name] = _encode(content)
    return found


def from_json(cls: type[T], data: Mapping[str, Any]) -> T:
    """The dataclass `cls` from what `to_json` made of it. Raises ValueError when `data` does not fit."""
    types_of: dict[str, Any] = _types(cast(Any, cls))
    if unknown := set(data) - set(types_of):
        raise ValueError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}")
    try:
        return cls(**{name: _decode(types_of[name], content) for name, content in data.items()})
    except TypeError as wrong:
        raise ValueError(f"{cls.__name__}: {wrong}") from None


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


@cache
def _types(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


def _encode(content: Any) -> Any:
    if is_dataclass(content):
        return to_json(content)
    if isinstance(content, tuple):
        return [_encode(item) for item in content]
    return content


def _decode(expected: Any, content: Any) -> Any:
    origin = get_origin(expected)
    if origin in (types.UnionType, Union):
        if content is None:
            return None
        (expected,) = (option for option in get_args(expected) if option is not type(None))
        return _decode(expected, content)
    if origin is tuple:
        return _decode_tuple(get_args(expected), content)
    if is_dataclass(expected) and isinstance(expected, type):
        if not isinstance(content, Mapping):
            raise ValueError(f"{expected.__name__} cannot be made of {content!r}")
        return from_json(expected, content)
    if type(content) is not expected:
        raise ValueError(f"{content!r} is not of type {expected.__name__}")
    return content


def _decode_tuple(items: tuple[Any, ...], content: Any) -> tuple[Any, ...]:
    if not isinstance(content, (list, tuple)):
        raise ValueError(f"{content!r} is not a list")
    if items[-1] is Ellipsis:
        return tuple(_decode(items[0], item) for item in content)
    if len(items) != len(content):
        raise ValueError(f"{content!r} has not {len(items)} items")
    return tuple(_decode(kind, item) for kind, item in zip(items, content, strict=True))
