"""Which lines of a log tell of an error, and which of them an earlier log did not have.

Two runs never print quite the same: times, durations, addresses, process ids and temporary names differ. Lines are
therefore compared by what is left when those are taken out.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.domain.plain_log import plain_line

#: No more lines than this are told, and no more of a line.
MOST_LINES = 50
LONGEST_LINE = 500
_TELLS = re.compile(
    r"(?:error|exception|failure)\b|\b(?:errors|err!|fail|failed|fails|failures|fatal|panic|panicked|traceback|assert|"
    r"assertion|abort|aborted|cannot|can't|could not|undefined|unresolved|unexpected|unknown|invalid|denied|refused|"
    r"missing|not found|no such|timed out|timeout|segmentation fault|core dumped|killed|out of memory|expected)\b|"
    r"^E\s|\u2717|\u2715|\u2718|\u00d7 ",
    re.IGNORECASE,
)
# The good news of tools that count what went wrong.
_NONE_WRONG = re.compile(
    r"\b(?:0|no) (?:errors?|failures?|failed|fails?)\b|\b(?:errors?|failures?|failed): *0\b", re.IGNORECASE
)

_VARYING = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "<id>"),
    # A long hexadecimal word with a digit in it: `deadbeef` alone may be a name, `facade` is a word.
    (re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{7,64}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"(?<=/tmp/)[\w.-]+"), "<name>"),
    (re.compile(r"\d+"), "#"),
    (re.compile(r"\s+"), " "),
)


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """A line that tells of an error. `number` counts from 0 in the lines that were looked at."""

    number: int
    text: str


def plain(line: str) -> str:
    """`line` without colours, stamps and control characters; of a line that was overwritten only what stayed."""
    return plain_line(line).rstrip()


def signature(text: str) -> str:
    """What two runs of the same line have in common."""
    shown = text.strip()
    for pattern, word in _VARYING:
        shown = pattern.sub(word, shown)
    return shown.lower()


def tells_of_error(text: str) -> bool:
    """Whether a plain line looks like an error to people."""
    return _TELLS.search(_NONE_WRONG.sub("", text)) is not None


def new_error_lines(lines: Iterable[str], before: Iterable[str]) -> list[ErrorLine]:
    """The last lines of a log that tell of an error and that no line of `before` is like, each kind once, in order.

    Both are lines as they were printed.
    """
    known = {signature(line.text) for line in _errors(before)}
    found = []
    for line in _errors(lines):
        kind = signature(line.text)
        if kind not in known:
            known.add(kind)
            found.append(line)
    return found[-MOST_LINES:]


def _errors(lines: Iterable[str]) -> Iterator[ErrorLine]:
    for number, line in enumerate(lines):
        text = plain(line[: LONGEST_LINE * 2])[:LONGEST_LINE]
        if text and tells_of_error(text):
            yield ErrorLine(number, text)
