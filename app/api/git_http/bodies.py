"""Bodies of git requests: large, perhaps gzipped, never trusted to end."""

import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from flask import Request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from app.git.command import failure
from app.git.pktline import Readable
from app.git.transport import CHUNK

#: What a clone or fetch asks for: ids of commits it wants and has.
FETCH_LIMIT = 64 * 1024 * 1024
_IN_MEMORY = 1024 * 1024


def body_of(request: Request, limit: int) -> Readable:
    """The decoded body, at most `limit` bytes of it. Reading raises 413 beyond, 400 when it is cut off or no gzip."""
    request.max_content_length = limit
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise UnsupportedMediaType("The body's encoding is none that git uses.")
    return Gunzip(request.stream, limit) if "gzip" in encoding else request.stream


@contextmanager
def spooled(body: Readable) -> Iterator[IO[bytes]]:
    """All of `body` in a file, rewound. Raises StorageFull, and what reading the body does."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        try:
            while piece := body.read(CHUNK):
                file.write(piece)
            file.seek(0)
        except OSError as error:
            raise failure(error) from error
        yield cast(IO[bytes], file)


class Gunzip:
    """A gzipped stream, unpacked as it is read, with a bound against bombs."""

    def __init__(self, stream: Readable, limit: int) -> None:
        self._stream, self._left = stream, limit
        self._decoder = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def read(self, size: int = -1, /) -> bytes:
        """At least one byte and at most `size` (CHUNK when negative); none at the end."""
        size = size if size >= 0 else CHUNK
        while size and not self._decoder.eof:
            packed = self._decoder.unconsumed_tail or self._stream.read(CHUNK)
            if not packed:
                raise BadRequest("The gzipped body is cut off.")
            piece = self._unpack(packed, size)
            if piece:
                return piece
        return b""

    def _unpack(self, packed: bytes, size: int) -> bytes:
        try:
            piece = self._decoder.decompress(packed, size)
        except zlib.error:
            raise BadRequest("The body is no gzip.") from None
        self._left -= len(piece)
        if self._left < 0:
            raise RequestEntityTooLarge
        return piece
