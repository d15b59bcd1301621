"""Flat form fields become nested values, as Rack reads them: `scope[]=a`, `filter[key]=a`, `variables[][key]=a`."""

import re
from collections.abc import Iterable
from typing import Any

MAX_DEPTH = 16
_PART = re.compile(r"\[([^\[\]]*)\]")


class TooDeep(ValueError):
    """A field's name is nested more deeply than anything that makes sense."""


def nest(fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The nested form of `fields`. A later field wins over an earlier one of that name, or one that contradicts it."""
    result: dict[str, Any] = {}
    for name, value in fields:
        _put(result, _path(name), value)
    return result


def _path(name: str) -> list[str]:
    """`variables[][key]` as ["variables", "", "key"]; the empty part means "one more element"."""
    head, bracket, rest = name.partition("[")
    if not bracket or not head or not re.fullmatch(r"(?:\[[^\[\]]*\])+", bracket + rest):
        return [name]
    path = [head, *_PART.findall(bracket + rest)]
    if len(path) > MAX_DEPTH:
        raise TooDeep(head)
    return path


def _put(target: dict[str, Any], path: list[str], value: str) -> None:
    """Walk or make what `path` names inside `target`, and place `value` at its end."""
    key, rest = path[0], path[1:]
    if not rest:
        target[key] = value
    elif rest[0] == "":
        if not isinstance(target.get(key), list):
            target[key] = []
        _append(target[key], rest[1:], value)
    else:
        if not isinstance(target.get(key), dict):
            target[key] = {}
        _put(target[key], rest, value)


def _append(elements: list[Any], path: list[str], value: str) -> None:
    """Place `value` in the last element, or in a new one where the last has that key already (Rack's rule)."""
    if not path:
        elements.append(value)
        return
    last = elements[-1] if elements else None
    if not isinstance(last, dict) or path[0] in last:
        elements.append({})
    _put(elements[-1], path, value)
