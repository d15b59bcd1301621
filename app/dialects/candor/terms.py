"""On which terms a trigger starts a pipeline, and which parameters it brings (candor.md A.5)."""

import json
from collections.abc import Mapping
from typing import Any

from app.dialects.candor.configuration import Configuration
from app.dialects.candor.jspath import UNDEFINED, JsPathError, evaluate
from app.dialects.candor.jspath.operators import text


def are_met(configuration: Configuration, headers: Mapping[str, str], body: Any) -> bool:
    """Whether a request with these headers (looked up in any case) and this JSON body meets all constraints."""
    sent = {name.lower(): value for name, value in headers.items()}
    for name, allowed in configuration.headers.items():
        value = sent.get(name.lower())
        if not value or value not in allowed:
            return False
    return all(_finds(path, body, expected) for path, expected in configuration.body.items())


def _finds(path: str, body: Any, expected: Any) -> bool:
    """The JSON texts have to be the same, so what is expected is mostly a list. A bad expression is unmet."""
    try:
        found = evaluate(path, body)
    except JsPathError:
        return False
    return found is not UNDEFINED and _json(found) == _json(expected)


def parameters(configuration: Configuration, body: Any, given: Mapping[str, str]) -> dict[str, str]:
    """The values for `%name%`: the first that each JSPath finds, then those that were `given`, also undeclared ones.

    What finds nothing has no value.
    """
    values = {}
    for name, path in configuration.parameters.items():
        value = None if path is None else _first(path, body)
        if value is not None:
            values[name] = value
    return values | dict(given)


def _first(path: str, body: Any) -> str | None:
    try:
        found = evaluate(path, body)
    except JsPathError:
        return None
    value = next(iter(found), None) if isinstance(found, list) else found
    return None if value is None or value is UNDEFINED else text(value)


def _json(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Whole numbers are written without a fraction, whoever wrote them how."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, dict) else value
