"""Reading single values: each function gives the value, or None with an error in the report.

`path` is how GitLab names a place in its messages: `jobs:build:script`. The sentences are GitLab's, since people and
programs look for them.
"""

from collections.abc import Iterable
from typing import TypeGuard

from app.dialects.gitlab import nodes, scalars
from app.dialects.gitlab.nodes import Mapping, Node, Scalar, Sequence
from app.dialects.gitlab.report import Report, quoted
from app.domain import durations

INVALID = "invalid_value"
LINE_NESTING = 10


def refuse(report: Report, node: Node, path: str, problem: str) -> None:
    """Report that the value at `path` is wrong: `problem` follows the path, as in "config should be a string"."""
    report.error(node.mark, INVALID, f"{path} {problem}")


def is_text(node: Node) -> TypeGuard[Scalar]:
    return isinstance(node, Scalar) and isinstance(node.value, str)


def text(report: Report, node: Node, path: str, problem: str = "config should be a string") -> str | None:
    """A string that is not empty."""
    if is_text(node) and node.value:
        return str(node.value)
    blank = "config can't be blank" if problem.startswith("config ") else "can't be blank"
    refuse(report, node, path, blank if is_text(node) else problem)
    return None


def boolean(report: Report, node: Node, path: str, problem: str = "config should be a boolean value") -> bool | None:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    refuse(report, node, path, problem)
    return None


def integer(report: Report, node: Node, path: str, problem: str) -> int | None:
    if isinstance(node, Scalar) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    refuse(report, node, path, problem)
    return None


def number(report: Report, node: Node, path: str, least: int, most: int) -> int | None:
    """A whole number between two bounds."""
    value = node.value if isinstance(node, Scalar) and not isinstance(node.value, bool | str) else None
    if value is None:
        refuse(report, node, path, "is not a number")
    elif not isinstance(value, int):
        refuse(report, node, path, "must be an integer")
    elif value < least:
        refuse(report, node, path, f"must be greater than or equal to {least}")
    elif value > most:
        refuse(report, node, path, f"must be less than or equal to {most}")
    else:
        return value
    return None


def texts(
    report: Report, node: Node, path: str, problem: str = "config should be an array of strings"
) -> tuple[str, ...] | None:
    """A list of strings; empty ones are allowed."""
    if isinstance(node, Sequence) and all(is_text(item) for item in node.items):
        return tuple(str(item.value) for item in node.items if isinstance(item, Scalar))
    refuse(report, node, path, problem)
    return None


def text_or_texts(report: Report, node: Node, path: str, problem: str) -> tuple[str, ...] | None:
    """A string, or a list of strings."""
    return (str(node.value),) if is_text(node) else texts(report, node, path, problem)


def lines(report: Report, node: Node, path: str) -> tuple[str, ...] | None:
    """A script: a string, or strings in lists in lists, made flat."""
    found: list[str] = []
    if is_text(node):
        return (str(node.value),)
    if isinstance(node, Sequence) and _flatten(node, found, LINE_NESTING):
        return tuple(found)
    _refuse_lines(report, node, path)
    return None


def names(report: Report, node: Node, path: str) -> tuple[str, ...] | None:
    """A list of strings, or of lists of them, made flat."""
    found: list[str] = []
    if isinstance(node, Sequence) and _flatten(node, found, LINE_NESTING):
        return tuple(found)
    nested = f"a nested array of strings up to {LINE_NESTING} levels deep"
    refuse(report, node, path, f"config should be an array of strings or {nested}")
    return None


def _flatten(node: Sequence, found: list[str], levels: int) -> bool:
    for item in node.items:
        if is_text(item):
            found.append(str(item.value))
        elif not (isinstance(item, Sequence) and levels > 1 and _flatten(item, found, levels - 1)):
            return False
    return True


def _refuse_lines(report: Report, node: Node, path: str) -> None:
    problem = f"config should be a string or a nested array of strings up to {LINE_NESTING} levels deep"
    culprit = _first_mapping(node)
    if culprit is not None:
        problem += "; a line with `: ` in it is a mapping for YAML unless it stands in quotes"
    refuse(report, culprit or node, path, problem)


def _first_mapping(node: Node) -> Node | None:
    items = node.items if isinstance(node, Sequence) else ()
    return next((item for item in items if isinstance(item, Mapping)), None)


def one_of(report: Report, node: Node, path: str, choices: Iterable[str], verb: str = "should be") -> str | None:
    """One of a few words."""
    words = tuple(choices)
    if is_text(node) and node.value in words:
        return str(node.value)
    hint = report.did_you_mean(str(node.value), words) if is_text(node) else ""
    refuse(report, node, path, f"{verb} one of: {', '.join(words)}{hint}")
    return None


def known(report: Report, node: Node, path: str, choices: Iterable[str]) -> str | None:
    """Like `one_of`, for the places where GitLab names the value that it does not know."""
    words = tuple(choices)
    if is_text(node) and node.value in words:
        return str(node.value)
    shown = quoted(str(nodes.to_plain(node)))
    hint = report.did_you_mean(shown, words)
    refuse(report, node, path, f"unknown value: {shown}{hint}; it should be one of: {', '.join(words)}")
    return None


def duration(report: Report, node: Node, path: str, limit: int | None = None, *, never: bool = False) -> int | None:
    """Seconds of a duration in words; `limit` is the most that is allowed."""
    try:
        seconds = durations.parse(str(node.value), never=never) if is_text(node) else None
    except durations.InvalidDuration:
        seconds = None
    if seconds is None:
        refuse(report, node, path, "should be a duration")
    elif limit is not None and seconds > limit:
        refuse(report, node, path, "should not exceed the limit")
        return None
    return seconds


def variable_text(node: Node) -> str | None:
    """The value of a variable as text, or None when it is no single value. Null is the empty text."""
    if not isinstance(node, Scalar):
        return None
    return "" if node.value is None else scalars.as_text(node.value)


def mapping(
    report: Report, node: Node, path: str, known: Iterable[str], problem: str = "config should be a hash"
) -> Mapping | None:
    """A mapping whose keys are all `known`; each unknown key is an error at its place."""
    if not isinstance(node, Mapping):
        refuse(report, node, path, problem)
        return None
    check_keys(report, node, path, known)
    return node


def check_keys(
    report: Report, node: Mapping, path: str, known: Iterable[str], meant: Iterable[str] | None = None
) -> None:
    """Report each key that is not `known`, with the one of `meant` (of `known`, when None) that is near it."""
    words = tuple(known)
    meant = words if meant is None else tuple(meant)
    for key, entry in node.entries.items():
        if key not in words:
            message = f"{path} config contains unknown keys: {quoted(key)}{report.did_you_mean(key, meant)}"
            report.error(entry.key_mark, "unknown_keyword", message)
