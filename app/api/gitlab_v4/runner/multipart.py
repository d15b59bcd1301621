"""A multipart body (RFC 7578) as a stream: its fields, and its files passed on as they come.

All is read into one buffer, searched there, and written from there: a parser that hands out pieces of its own copies
each byte of a file five times.
"""

import re
from collections.abc import Callable
from typing import IO

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header

from app.api.gitlab_v4.runner.body import read_into

#: What is read at once, and the longest head of a part: few enough to stay in the processor's cache.
PIECE = 128 * 1024
MOST_PARTS = 100
#: So much shows whether a line is a boundary: white space, up to 16 bytes of it, until the line ends.
_BEHIND = 18
# Lines end with CRLF; many clients break this and use one of the two.
_END = rb"(?:\r\n|\n|\r)"
_BLANK_LINE = re.compile(rb"\r\n(\r\n)|\n(\n)|\r(\r)")
_FOLDED = re.compile(_END + rb"[ \t]")

Write = Callable[[memoryview | bytes], object]


class Multipart:
    """The body in `stream` with this `boundary` between its parts.

    `fields` are the parts that are no files, the first of each name, all together at most `limit` bytes. `on_file` is
    called for each file with the names of the part and of the file, and says who takes its contents.
    """

    def __init__(
        self, stream: IO[bytes], boundary: str, limit: int, on_file: Callable[[str | None, str], Write]
    ) -> None:
        self.fields: dict[str, str] = {}
        self._stream, self._left, self._on_file = stream, limit, on_file
        self._stop = b"--" + boundary.encode("ascii")
        self._boundary = re.compile(_END + re.escape(self._stop) + rb"(?:(--)|[ \t\f\v]{0,16}" + _END + rb")")
        self._buffer = bytearray(PIECE)
        self._view = memoryview(self._buffer)
        # The first boundary needs no line before it. From `_start` to `_end` is what was read and is of use still.
        self._view[:2] = b"\r\n"
        self._start, self._end, self._ended = 0, 2, False

    def read(self) -> None:
        """To the last boundary. Raises ValueError where the body is malformed or ends before it, BadRequest, 413, and
        what a `Write` does.
        """
        parts, last = 0, self._contents(_drop, 0)
        while not last:
            parts += 1
            if parts > MOST_PARTS:
                raise RequestEntityTooLarge
            head, line_end = self._head()
            last = self._contents(self._taker(head), line_end)

    def _contents(self, write: Write, skipped: int) -> bool:
        """Pass on all before the next boundary but its first `skipped` bytes; whether that is the last boundary."""
        searched = self._start
        while True:
            at = self._buffer.find(self._stop, searched, self._end)
            if at >= 0 and (self._ended or at + len(self._stop) + _BEHIND <= self._end):
                boundary = self._boundary_at(at)
                if boundary:
                    self._pass_on(write, boundary.start(), skipped)
                    self._start = boundary.end()
                    return boundary[1] is not None
                searched = at + 1
            else:
                maybe = at if at >= 0 else self._end - len(self._stop) + 1
                skipped = self._pass_on(write, maybe - len(b"\r\n"), skipped)
                self._more()
                searched = self._start

    def _boundary_at(self, at: int) -> re.Match[bytes] | None:
        """The boundary at `at`, with the end of the line before it, where it is one. The last has a group 1."""
        pair = self._buffer[at - 2 : at] == b"\r\n"
        return self._boundary.match(self._buffer, at - 1 - pair, self._end)

    def _pass_on(self, write: Write, end: int, skipped: int) -> int:
        """Pass on what comes before `end`; how many bytes are still to be skipped."""
        begin = min(self._start + skipped, end)
        if begin < end:
            write(self._view[begin:end])
        skipped -= max(0, min(skipped, end - self._start))
        self._start = max(self._start, end)
        return skipped

    def _more(self) -> None:
        """Fill the buffer up. Raises ValueError where there is no more, or no room for it."""
        rest = self._end - self._start
        if self._ended or rest == len(self._view):
            raise ValueError("a part has no end")
        self._view[:rest] = self._view[self._start : self._end]
        count = read_into(self._stream, self._view[rest:])
        self._start, self._end, self._ended = 0, rest + count, rest + count < len(self._view)

    def _head(self) -> tuple[bytes, int]:
        """The lines before the next blank one, and the length of that one, which stands before the contents."""
        while not (blank := _BLANK_LINE.search(self._buffer, self._start, self._end)):
            self._more()
        end = blank.start(blank.lastindex or 0)
        head, self._start = bytes(self._view[self._start : end]), end
        return head, blank.end() - end

    def _taker(self, head: bytes) -> Write:
        """Who takes the contents of the part with this head."""
        lines = (line.decode().partition(":") for line in _FOLDED.sub(b" ", head).splitlines())
        fields = {name.strip(" \t").lower(): value.strip(" \t") for name, _, value in lines}
        if "content-disposition" not in fields:
            raise ValueError("a part without a name")
        given = parse_options_header(fields["content-disposition"])[1]
        if "filename" in given:
            return self._on_file(given.get("name"), given["filename"])
        return self._field(given["name"]) if "name" in given else _drop

    def _field(self, name: str) -> Write:
        value = bytearray()
        counts = name not in self.fields
        self.fields.setdefault(name, "")

        def write(data: memoryview | bytes) -> None:
            self._left -= len(data)
            if self._left < 0:
                raise RequestEntityTooLarge
            value.extend(data)
            if counts:
                self.fields[name] = value.decode("utf-8", "replace")

        return write


def _drop(_data: memoryview | bytes) -> None:
    """Where nothing is wanted."""
