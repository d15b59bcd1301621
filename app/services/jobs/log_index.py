"""Where the lines and sections of a log lie, so that a page can show any part of it without reading the rest.

A log of 100 MB takes a few hundred milliseconds: counting and searching are left to the C of `bytes`. So what was found
is kept (`kept_index`), and only what came since is looked at.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

BLOCK_BYTES = 64 * 1024
BLOCK_LINES = 1500
MAX_SECTIONS = 5000
_MARKER = re.compile(rb"section_(start|end):(\d{1,12}):([A-Za-z0-9_.-]{1,200})(?:\[([^\]\r\n]{0,200})\])?\r")
_MARKER_START = b"section_"
_SGR = re.compile(rb"\x1b\[[0-9;:]*m")
_RESETS = (b"\x1b[0m", b"\x1b[m", b"\x1b[0;m")
_MAX_CARRY = 256
_NEAR = 2048
_SAMPLE = 512


class Readable(Protocol):
    """What an index is made of: a file, or a `read_trace.Trace`."""

    def seek(self, offset: int, /) -> object: ...

    def read(self, size: int, /) -> bytes: ...


class Block(NamedTuple):
    """A run of whole lines: where it starts in bytes, the number of its first line (from 1), and its lines' count.

    `style` is the colour sequences (CSI … m) that are in force where it starts.
    """

    start: int
    line: int
    lines: int
    style: str


@dataclass(slots=True)
class Section:
    """A folding section. `end_line` and `ended_at` (epoch seconds) are None while it is open."""

    name: str
    line: int
    started_at: int
    collapsed: bool
    end_line: int | None = None
    ended_at: int | None = None


@dataclass(slots=True)
class LogIndex:
    """`size` is how many bytes were looked at: whoever follows the log goes on from there."""

    size: int = 0
    lines: int = 0
    blocks: list[Block] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)


def build_index(file: Readable, kept: LogIndex | None = None) -> LogIndex:
    """The index of the log in `file`, to its end now. `kept` is one of its beginning, and is what is added to."""
    index = kept or LogIndex()
    looked_at = index.size
    style = _take_back_last_block(index)
    open_sections = [section for section in index.sections if section.end_line is None]
    for piece, lines, skipped in _pieces(file, index.size, looked_at):
        unfinished = not piece.endswith(b"\n")
        index.blocks.append(Block(index.size, index.lines + 1, lines + unfinished, style.decode("ascii")))
        _find_sections(piece, index, open_sections)
        style = b"" if skipped else _style_after(piece, style)
        index.size += len(piece) + skipped
        index.lines += lines
    if index.blocks:
        last = index.blocks[-1]
        index.lines = last.line + last.lines - 1
    return index


def _take_back_last_block(index: LogIndex) -> bytes:
    """It is looked at again, as its last line may not have been whole. Return the style in which it starts."""
    if not index.blocks:
        return b""
    last = index.blocks.pop()
    index.size, index.lines = last.start, last.line - 1
    index.sections = [section for section in index.sections if section.line < last.line]
    for section in index.sections:
        if section.end_line is not None and section.end_line >= last.line:
            section.end_line = section.ended_at = None
    return last.style.encode("ascii")


def _pieces(file: Readable, start: int, looked_at: int) -> Iterator[tuple[bytes, int, int]]:
    """The content from `start` in pieces of whole lines: (piece, ends of lines in it, bytes left out of it).

    A line longer than a block makes a piece of its own, of which only the beginning and the end are kept in memory.
    What was `looked_at` is one block: where it is that long it is such a line, and is not read again while it grows.
    """
    file.seek(start)
    kept, skipped = b"", 0
    if looked_at - start > 4 * BLOCK_BYTES:
        kept = file.read(BLOCK_BYTES)
        file.seek(looked_at - 1)  # which may be the line's end
        skipped = looked_at - 1 - start - len(kept)
    while data := file.read(BLOCK_BYTES):
        first = data.find(b"\n") + 1
        if not first:
            if len(kept) >= BLOCK_BYTES:
                skipped += len(data)
            else:
                kept += data
            continue
        if len(kept) >= BLOCK_BYTES:
            yield kept + data[:first], 1, skipped
            data, kept, skipped = data[first:], b"", 0
        end = data.rfind(b"\n") + 1
        if end:
            yield from _not_too_many_lines(kept + data[:end])
        kept = data[end:] if end else kept + data
    if kept:
        yield kept, 0, skipped


def _not_too_many_lines(piece: bytes) -> Iterator[tuple[bytes, int, int]]:
    count = _line_ends(piece)
    if count <= BLOCK_LINES:
        yield piece, count, 0
        return
    step = max(1, len(piece) * BLOCK_LINES // count)
    start = 0
    while start < len(piece):
        end = piece.find(b"\n", min(start + step, len(piece)) - 1) + 1 or len(piece)
        yield piece[start:end], piece.count(b"\n", start, end), 0
        start = end


def _line_ends(piece: bytes) -> int:
    """How many lines end in it. `count` looks at each byte by itself; `replace` looks for the next, and is five times
    as fast where lines are as long as they usually are.
    """
    if piece.count(b"\n", 0, _SAMPLE) > _SAMPLE // 16:
        return piece.count(b"\n")
    return len(piece.replace(b"\n", b"\n\n")) - len(piece)


def _find_sections(piece: bytes, index: LogIndex, open_sections: list[Section]) -> None:
    if b"\r" not in piece:  # each marker ends with one, and one byte is found much faster than several
        return
    at, line, counted = piece.find(_MARKER_START), index.lines + 1, 0
    while at >= 0 and len(index.sections) < MAX_SECTIONS:
        match = _MARKER.match(piece, at)
        if match:
            line += piece.count(b"\n", counted, at)
            counted = at
            _mark(match, line, index, open_sections)
        at = piece.find(_MARKER_START, at + len(_MARKER_START))


def _mark(match: re.Match[bytes], line: int, index: LogIndex, open_sections: list[Section]) -> None:
    name, moment = match[3].decode("ascii"), int(match[2])
    if match[1] == b"start":
        section = Section(name, line, moment, b"collapsed=true" in (match[4] or b""))
        index.sections.append(section)
        open_sections.append(section)
        return
    for position in range(len(open_sections) - 1, -1, -1):
        if open_sections[position].name == name:
            # What opened inside and never ended ends here too: sections nest, whatever a job prints.
            for section in open_sections[position:]:
                section.end_line, section.ended_at = line, moment
            del open_sections[position:]
            return


def _last_reset(piece: bytes) -> int:
    """Where the last sequence that ends all colours stands, -1 without one. Most often one is near the end."""
    for start in (max(0, len(piece) - _NEAR), 0):
        reset = max(piece.rfind(mark, start) for mark in _RESETS)
        if reset >= 0:
            break
    return reset


def _style_after(piece: bytes, before: bytes) -> bytes:
    if b"\x1b" not in piece:
        return before
    reset = _last_reset(piece)
    found = b"".join(_SGR.findall(piece, max(reset, 0))[-16:])
    style = found if reset >= 0 else before + found
    return style if len(style) <= _MAX_CARRY else b""
