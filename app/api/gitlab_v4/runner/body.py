"""Reading what a client sends: whatever goes wrong on the way is the client's doing, or its connection's."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from typing import IO, cast

from flask import Request
from werkzeug.exceptions import BadRequest, HTTPException

#: So much room a body gets before any of it is here, and so many times what has come from then on: a claim alone costs
#: the server no memory.
_FIRST, _GROWTH = 128 * 1024, 32


@contextmanager
def reading() -> Iterator[None]:
    """Turn what the web server raises for a body that was cut off, or is chunked wrongly, into BadRequest."""
    try:
        yield
    except HTTPException:
        raise
    except Exception as error:
        raise BadRequest("the body was cut off or is malformed") from error


def _read_into(stream: IO[bytes], view: memoryview) -> int:
    """Fill `view`; how many bytes there were, fewer than it has room for at the end alone. Raises BadRequest, 413."""
    filled, read = 0, cast(BufferedIOBase, stream).readinto  # which each stream has, though `IO` does not say so
    with reading():
        while filled < len(view) and (count := read(view[filled:])):
            filled += count
    return filled


def read_body(request: Request) -> bytes | bytearray:
    """All of a request's body; what was promised and did not come is missing. Raises BadRequest, 413."""
    stream, length = request.stream, request.content_length
    if length is not None:
        return read_sized(stream, length)
    with reading():
        return stream.read()


def read_sized(stream: IO[bytes], length: int) -> bytearray:
    """The next `length` bytes of `stream`, or all that come. Raises BadRequest, 413."""
    body, filled = bytearray(min(length, _FIRST)), 0
    while True:
        with memoryview(body) as view:
            filled += _read_into(stream, view[filled:])
        if filled < len(body) or filled >= length:
            del body[filled:]
            return body
        grown = bytearray(min(length, _GROWTH * filled))
        grown[:filled] = body
        body = grown
