"""The body of a request, read from its socket without detours.

gunicorn's own `Body` copies each byte six times on its way, through three buffers that are made anew for every piece:
for large bodies that costs more than all that is done with them. What is read here goes from the socket into the
reader's own buffer. How bodies are framed stays gunicorn's business: chunks are taken apart by its parser.
"""

import io
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.unreader import SocketUnreader

#: What small reads are served from, at most; larger ones go past it. A poll that waits keeps its body's all the time.
_BUFFER = 64 * 1024


class SocketBody(io.BufferedReader):
    """A body as `wsgi.input`, and as gunicorn knows it: it looks at `failed` before it uses the connection again."""

    def __init__(self, raw: "_Raw", length: int = _BUFFER) -> None:
        super().__init__(raw, min(length, _BUFFER))
        self._source = raw

    @property
    def failed(self) -> bool:
        """Whether reading raised an error: nobody knows then where the next request begins."""
        return self._source.failed

    def close(self) -> None:
        """Nothing to close: the connection outlives the body, and gunicorn reads what nobody has read."""


class _Raw(io.RawIOBase):
    """One of the two ways to read."""

    failed = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        """At least one byte, as a socket gives them; none at the end, and where the client left before it."""
        try:
            return self._receive(memoryview(buffer))
        except BaseException:
            self.failed = True
            raise

    @abstractmethod
    def _receive(self, view: memoryview) -> int:
        """What `readinto` returns."""


class _Sized(_Raw):
    """`length` bytes, of which gunicorn has read some together with the head. What comes behind them is not touched."""

    def __init__(self, unreader: SocketUnreader, length: int) -> None:
        early = unreader.take_buffered()
        unreader.unread(early[length:])
        self._early, self._socket, self._left = memoryview(early[:length]), unreader.sock, length

    def _receive(self, view: memoryview) -> int:
        view = view[: self._left]
        if self._early:
            count = min(len(self._early), len(view))
            view[:count] = self._early[:count]
            self._early = self._early[count:]
        else:
            count = self._socket.recv_into(view) if view else 0
        self._left -= count
        return count


class _Chunked(_Raw):
    """The contents of the chunks that gunicorn's parser takes out of the stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")

    def _receive(self, view: memoryview) -> int:
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._piece = memoryview(piece)
        count = min(len(self._piece), len(view))
        view[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count


def read_directly(_worker: Any, request: Any) -> None:
    """gunicorn's hook `pre_request`: a request that has a body of one of the kinds known here gets a `SocketBody`.

    Any other keeps what it has: none, one that ends with its connection, one of another protocol.
    """
    if type(request.body) is not Body:
        return
    reader = request.body.reader
    if type(reader) is LengthReader and reader.length and type(reader.unreader) is SocketUnreader:
        request.body = SocketBody(_Sized(reader.unreader, reader.length), reader.length)
    elif type(reader) is ChunkedReader:
        request.body = SocketBody(_Chunked(reader.parser))
