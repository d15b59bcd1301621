"""Git's pkt-lines: four hexadecimal digits of length, then the content (gitprotocol-common)."""

from collections.abc import Iterator
from typing import Protocol

FLUSH = b"0000"
#: The longest content of one line.
MAX_CONTENT = 65516
#: The longest content of one line that goes through a side band, whose number takes a byte.
MAX_BAND = MAX_CONTENT - 1

DATA, PROGRESS, FATAL = 1, 2, 3


class Readable(Protocol):
    """Anything with a blocking `read`."""

    def read(self, size: int = -1, /) -> bytes: ...


class ProtocolError(Exception):
    """What was sent is not what git sends."""


class Truncated(ProtocolError):
    """The sender stopped in the middle."""


def encode(content: bytes) -> bytes:
    """One line."""
    if len(content) > MAX_CONTENT:
        raise ValueError("too long for one pkt-line")
    return b"%04x" % (len(content) + 4) + content


def band(number: int, content: bytes) -> Iterator[bytes]:
    """`content` through a side band, in as many lines as it takes."""
    for start in range(0, len(content), MAX_BAND):
        yield encode(bytes((number,)) + content[start : start + MAX_BAND])


def read_exactly(stream: Readable, size: int) -> bytes:
    """`size` bytes, fewer only at the end of the stream."""
    pieces = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def read_line(stream: Readable) -> bytes | None:
    """The content of the next line, None for a flush. Raises EOFError where the stream ends before it, Truncated
    within it.
    """
    head = read_exactly(stream, 4)
    if not head:
        raise EOFError
    try:
        length = int(head, 16) if len(head) == 4 and head.isalnum() else -1
    except ValueError:
        length = -1
    if length == 0:
        return None
    if length < 4:
        raise Truncated("half a pkt-line") if len(head) < 4 else ProtocolError("no pkt-line")
    content = read_exactly(stream, length - 4)
    if len(content) < length - 4:
        raise Truncated("half a pkt-line")
    return content


def read_section(stream: Readable, limit: int) -> list[bytes]:
    """All lines up to a flush, together at most `limit` bytes. Raises ProtocolError; an empty stream is an empty
    section.
    """
    lines: list[bytes] = []
    try:
        while (line := read_line(stream)) is not None:
            limit -= len(line) + 4
            if limit < 0:
                raise ProtocolError("too many pkt-lines before a flush")
            lines.append(line)
    except EOFError:
        if lines:
            raise Truncated("the flush at the end is missing") from None
    return lines
