"""Compares JSON with a description of its keys and types: `"time?"` is a time or null, an object describes one."""

import re
from typing import Any

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_CHECKS = {
    "text": lambda value: isinstance(value, str),
    "time": lambda value: isinstance(value, str) and bool(_TIME.fullmatch(value)),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def differences(value: Any, shape: Any, path: str = "") -> list[str]:
    """What `value` lacks of `shape` or has otherwise. More keys than described are fine."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{path or 'the answer'} is no object"]
        missing = [f"{path}.{key} is missing" for key in shape if key not in value]
        inside = [differences(value[key], shape[key], f"{path}.{key}") for key in shape if key in value]
        return missing + [line for lines in inside for line in lines]
    if value is None and shape.endswith("?"):
        return []
    return [] if _CHECKS[shape.removesuffix("?")](value) else [f"{path} is no {shape}: {value!r}"]
