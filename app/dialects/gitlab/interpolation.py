"""`$[[ inputs.x | function ]]` blocks, replaced in the text before it is read as YAML (gitlab.md C.0, step 2; C.1).

A text stands as it is, any other value as JSON, which is YAML too: so a list stays a list and a number a number, and in
the middle of a text they are its characters.
"""

import json
import re
from collections.abc import Iterator, Mapping

from app.dialects.gitlab import functions
from app.dialects.gitlab.functions import Setting
from app.dialects.gitlab.limits import TooLarge
from app.dialects.gitlab.nodes import Mark
from app.dialects.gitlab.report import Report, quoted

MOST_FUNCTIONS = 3
MOST_BLOCKS = 10_000
"""How many different blocks one file may have."""

MOST_TEXT = 2 * 1024 * 1024
"""How many characters all blocks of one file may be replaced by."""

_OPEN, _CLOSE = "$[[", "]]"
_LONGEST_ACCESS = 1024
_MOST_KEYS = 5
_MOST_INDICES = 5
_INDEXED = re.compile(r"(\w*)((?:\[\d+\])+)", re.ASCII)
_LEFT_ALONE = "matrix"
"""Blocks of this kind are for the instances of a parallel job, see `expansion`."""

_PATTERN_ERROR = "invalid pattern used for interpolation. valid pattern is $[[ inputs.input ]]"


class _Invalid(ValueError):
    """A block that cannot be replaced; the message says why."""


def interpolate(text: str, file: str, values: Mapping[str, object], setting: Setting, report: Report) -> str | None:
    """`text` with its blocks replaced, or None when one of them is wrong, which is reported.

    `values` holds what a block may begin with: `inputs`, `component`. Raises TooLarge.
    """
    pieces: list[str] = []
    known: dict[str, str | None] = {}
    at, left = 0, MOST_TEXT
    for start, end in _blocks(text):
        content = text[start + len(_OPEN) : end].strip()
        if content not in known:
            if len(known) == MOST_BLOCKS:
                raise TooLarge(_place(text, file, start), "too many interpolation blocks")
            try:
                known[content] = _as_text(_evaluate(content, values, setting))
            except (_Invalid, functions.Invalid) as wrong:
                known[content] = None
                report.error(_place(text, file, start), "bad_interpolation", str(wrong))
        written = known[content] or ""
        left -= len(written)
        if left < 0:
            message = f"The inputs of the configuration fill in more than {MOST_TEXT} characters"
            raise TooLarge(_place(text, file, start), message)
        pieces += (text[at:start], written)
        at = end + len(_CLOSE)
    return None if None in known.values() else "".join(pieces) + text[at:]


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Where each block begins, and where its closing brackets do. A block stays within its line."""
    start, line_end = text.find(_OPEN), -1
    while start >= 0:
        if line_end < start:
            line_end = text.find("\n", start)
            line_end = len(text) if line_end < 0 else line_end
        end = text.find(_CLOSE, start + len(_OPEN), line_end)
        if end >= 0:
            yield start, end
        start = text.find(_OPEN, line_end if end < 0 else end + len(_CLOSE))


def _place(text: str, file: str, at: int) -> Mark:
    return Mark(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _evaluate(content: str, values: Mapping[str, object], setting: Setting) -> object:
    access, *calls = (part.strip() for part in content.split("|"))
    if access.partition(".")[0] == _LEFT_ALONE:
        return f"{_OPEN} {content} {_CLOSE}"
    if "." not in access:
        raise _Invalid(_PATTERN_ERROR)
    if len(access.encode()) > _LONGEST_ACCESS:
        raise _Invalid("maximum interpolation expression size exceeded")
    found: object = values
    for segment in access.split(".", _MOST_KEYS - 1):
        found = _indexed(segment, found, access) if "[" in segment else _member(segment, found, access)
    if len(calls) > MOST_FUNCTIONS:
        raise _Invalid("too many functions in interpolation block")
    for call in calls:
        found = functions.apply(call, found, setting)
    return found


def _member(key: str, found: object, access: str) -> object:
    if isinstance(found, Mapping) and key in found:
        return found[key]
    raise _Invalid(f"unknown interpolation provided: `{quoted(key)}` in `{quoted(access)}`")


def _indexed(segment: str, found: object, access: str) -> object:
    """The item of a list, or of a list in a list: `inputs.names[0]`."""
    shown = quoted(access)
    match = _INDEXED.fullmatch(segment)
    if match is None:
        raise _Invalid(_wrong_index(segment, shown))
    if not match[1]:
        raise _Invalid(f"invalid indexed access without a key in `{shown}`")
    indices = [int(digits) for digits in re.findall(r"\[(\d{1,18})\d*\]", match[2])]
    if len(indices) > _MOST_INDICES:
        raise _Invalid(f"too many array indices in `{shown}` (maximum depth: {_MOST_INDICES})")
    current = _member(match[1], found, access)
    for index in indices:
        if not isinstance(current, list):
            raise _Invalid(f"cannot index into non-array value at [{index}] in `{shown}`")
        if index >= len(current):
            raise _Invalid(f"array index {index} out of bounds (size: {len(current)}) in `{shown}`")
        current = current[index]
    return current


def _wrong_index(segment: str, shown: str) -> str:
    if segment.count("[") != segment.count("]"):
        return f"invalid array index in `{shown}`: missing closing bracket"
    wrong = next((inside for inside in re.findall(r"\[([^\]]*)\]", segment) if not inside.isdigit()), None)
    if wrong is None:
        return f"invalid array index syntax in `{shown}`"
    return f"invalid array index in `{shown}`: `{quoted(wrong)}` is not a valid index"


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
