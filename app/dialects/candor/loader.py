"""Text to plain data: JSON, or YAML as js-yaml reads it (YAML 1.2's core schema: `yes` and `on` are texts).

A text is refused that is too large, too deep, or whose aliases make too much of it.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import yaml

TEXT_LIMIT = 1024 * 1024
MOST_VALUES = 50_000
DEEPEST = 100


class Unreadable(Exception):
    """The text is no YAML or JSON that can be used. `line` and `column` count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


_BaseLoader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BaseLoader):
    """A loader that knows the core schema's scalars alone."""

    yaml_implicit_resolvers: Mapping[str, Any] = {}


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first)


def _integer(loader: Any, node: yaml.ScalarNode) -> int:
    text = str(node.value)
    bases = {"0o": 8, "0x": 16}
    return int(text[2:], bases[text[:2]]) if text[:2] in bases else int(text)


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def load(text: str) -> Any:
    """The plain data of `text`. Raises Unreadable."""
    if len(text) > TEXT_LIMIT:
        raise Unreadable(f"the text is longer than {TEXT_LIMIT} characters")
    try:
        data = _json(text) if text.lstrip()[:1] == "{" else None
        data = yaml.load(text, _Loader) if data is None else data  # noqa: S506 - a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise Unreadable(str(error.problem or error.context), *place) from None
    except yaml.YAMLError as error:
        raise Unreadable(str(error).splitlines()[0]) from None
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Unreadable(reason) from None
    measure(data)
    return data


class Places:
    """Where the values of a `text` stand that `load` has taken. It is read for this once, at the first question."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _root(self) -> yaml.Node | None:
        try:
            return yaml.compose(self._text, _Loader)
        except yaml.YAMLError:
            # JSON that is no YAML, such as with tabs between its values.
            return None

    def locate(self, path: Sequence[str | int]) -> tuple[int, int]:
        """The line and the column where `path` (keys and indexes) leads to.

        The key itself where there is one; as near as there is something otherwise.
        """
        node = self._root
        mark = node.start_mark if node else None
        for part in path:
            if isinstance(node, yaml.MappingNode):
                found = next((pair for pair in node.value if pair[0].value == part), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                found = (node.value[part], node.value[part])
            else:
                found = None
            if found is None:
                break
            mark, node = found[0].start_mark, found[1]
        return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _json(text: str) -> Any:
    """What JSON makes of `text`; None where it is none, as YAML's flow style begins with a brace too."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def measure(data: Any) -> None:
    """Raises Unreadable where `data` has too many values, counting those that aliases repeat, or goes too deep."""
    waiting, seen = [(data, 1)], 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if seen > MOST_VALUES or depth > DEEPEST:
            raise Unreadable("it holds too many values, or nests them too deeply")
        if not isinstance(value, str | int | float | list | dict | None) or (
            isinstance(value, float) and not math.isfinite(value)
        ):
            raise Unreadable(f"it holds a value that JSON has not: {value!r}")
        if isinstance(value, dict):
            waiting.extend((one, depth + 1) for one in value.values())
        elif isinstance(value, list):
            waiting.extend((one, depth + 1) for one in value)
