"""Find words in a job's log as a person sees it: colours inside a word, or what was overwritten, do not matter."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from app.domain.plain_log import plain_text

PIECE = 256 * 1024
#: Lines that are told by number; beyond it they are only counted.
MOST = 10_000
#: A longer line is looked through as far as this.
LONGEST_LINE = 1 << 20


class Readable(Protocol):
    """A file, or a `read_trace.Trace`."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(slots=True)
class Found:
    """`lines`: the numbers (from 1) of the first MOST lines that hold the words, `total` how many there are; `scanned`:
    how many lines were looked through, a last one that is not whole yet included.
    """

    lines: list[int] = field(default_factory=list)
    total: int = 0
    scanned: int = 0


def search_log(file: Readable, words: str) -> Found:
    """The lines of the log in `file` that hold `words`, in capitals or not. None hold an empty text."""
    found, wanted = Found(), words.lower()
    if not wanted:
        return found
    for piece in _whole_lines(file):
        count = piece.count(b"\n") + (not piece.endswith(b"\n"))
        _find(plain_text(piece).lower(), wanted, found)
        found.scanned += count
    return found


def _find(text: str, wanted: str, found: Found) -> None:
    """Add the lines of `text` that hold `wanted`; the first of them follows those that were looked through."""
    line, counted, at = found.scanned + 1, 0, text.find(wanted)
    while at >= 0:
        line += text.count("\n", counted, at)
        counted = at
        found.total += 1
        if len(found.lines) < MOST:
            found.lines.append(line)
        after = text.find("\n", at)
        at = text.find(wanted, after) if after >= 0 else -1


def _whole_lines(file: Readable) -> Iterator[bytes]:
    """The content in pieces of whole lines. Of a line that is too long only the beginning is kept."""
    kept = b""
    while data := file.read(PIECE):
        end = data.rfind(b"\n") + 1
        if end:
            yield kept + data[:end]
            kept = data[end:]
        elif len(kept) < LONGEST_LINE:
            kept += data
    if kept:
        yield kept
