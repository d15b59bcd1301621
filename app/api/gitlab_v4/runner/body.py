"""Reading what a client sends: whatever goes wrong on the way is the client's doing, or its connection's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from werkzeug.exceptions import BadRequest, HTTPException


@contextmanager
def reading() -> Iterator[None]:
    """Turn what the web server raises for a body that was cut off, or is chunked wrongly, into BadRequest."""
    try:
        yield
    except HTTPException:
        raise
    except Exception as error:
        raise BadRequest("the body was cut off or is malformed") from error


class Body:
    """A request's stream, read piece by piece under `reading`."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        with reading():
            return self._stream.read(size)
