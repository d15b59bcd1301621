"""A file as its YAML documents: one, or two when the first is a header with `spec` (gitlab.md C.0, steps 1 and 2).

The second is cut out as text, because `$[[ … ]]` blocks are replaced before it is read. Every part keeps its line
numbers: blank lines stand for what comes before it.
"""

import re
from dataclasses import dataclass

from app.dialects.gitlab import loader
from app.dialects.gitlab.nodes import Mapping, Mark, Node, Scalar
from app.dialects.gitlab.report import Report

_DIVIDER = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)
_TOO_MANY = 3
HEADER = "spec"
TOO_MANY = "The parsed YAML has too many documents"


@dataclass(frozen=True, slots=True)
class Documents:
    """A file in parts: `header` and the text `body`, or, without a header, the whole `config`."""

    header: Mapping | None = None
    body: str = ""
    config: Node | None = None


def split(text: str, file: str, report: Report) -> Documents | None:
    """The parts of `text`, or None when it cannot be read, with the reason in the report."""
    parts = _parts(text)
    documents = loader.load(parts[0], file, report)
    if documents is None:
        return None
    if len(parts) >= _TOO_MANY or len(documents) > 1:
        report.error(Mark(file, 1, 1), "too_many_documents", TOO_MANY)
        return None
    first = documents[0] if documents else Scalar(Mark(file, 1, 1), None)
    if len(parts) == 1:
        return Documents(config=first)
    if isinstance(first, Mapping) and HEADER in first:
        return Documents(first, parts[1])
    if not _is_empty(parts[1]):
        message = "Everything after the first YAML document is passed over, because that one has no `spec`"
        report.warning(Mark(file, parts[1].count("\n", 0, _start(parts[1])) + 1, 1), "extra_document", message)
    return Documents(config=first)


def _parts(text: str) -> list[str]:
    """The first three texts between lines of `---`; comments before such a line belong to what follows it."""
    found: list[str] = []
    start = seen = 0
    is_empty = True
    for divider in _DIVIDER.finditer(text):
        is_empty = is_empty and _is_empty(text[seen : divider.start()])
        seen = divider.start()
        if not is_empty:
            found.append(_padded(text, start, seen))
            start, is_empty = seen, True
            if len(found) == _TOO_MANY:
                return found
    return [*found, _padded(text, start, len(text))]


def _padded(text: str, start: int, end: int) -> str:
    return "\n" * text.count("\n", 0, start) + text[start:end]


def _is_empty(part: str) -> bool:
    """Whether there are only blank lines, comments and directives, after a `---` or not."""
    lines = (line.strip() for line in part.removeprefix("---").split("\n"))
    return all(not line or line[0] in "#%" for line in lines)


def _start(part: str) -> int:
    return len(part) - len(part.lstrip())
