"""The files of an uploaded report, inflated piece by piece as they are read; nothing is written anywhere.

A runner packs several matching files as gzip members one after the other (gitlab.md A.6): each is a file of its own.
"""

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from app.domain.errors import InvalidReport

PIECE = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


def report_files(file: BinaryIO, file_format: str, limit: int) -> Iterator[Iterator[bytes]]:
    """Each file of the report as pieces, to be read to its end before the next.

    Raises InvalidReport for what cannot be inflated, and as soon as all together are more than `limit` bytes.
    """
    counted = _Counted(limit)
    if file_format == "raw":
        yield counted(iter(lambda: file.read(PIECE), b""))
    elif file_format == "gzip":
        members = _Members(file)
        while members.more():
            yield counted(members.next_member())
    else:
        raise InvalidReport(f"a report cannot be packed as {file_format}")


class _Counted:
    """Lets so many bytes through in all."""

    def __init__(self, limit: int) -> None:
        self._limit = self._left = limit

    def __call__(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._left -= len(piece)
            if self._left < 0:
                raise InvalidReport(f"the report is larger than {self._limit} bytes")
            yield piece


class _Members:
    """The members of a gzip file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packed = b""

    def more(self) -> bool:
        """Whether anything is left. Zeros behind the last member are padding."""
        while True:
            self._packed = self._packed or self._file.read(PIECE)
            if not self._packed or self._packed[:1] != b"\0":
                return bool(self._packed)
            self._packed = self._packed.lstrip(b"\0")

    def next_member(self) -> Iterator[bytes]:
        inflate = zlib.decompressobj(_GZIP)
        try:
            while not inflate.eof:
                piece = inflate.decompress(self._packed, PIECE)
                self._packed = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
                if piece:
                    yield piece
                elif not inflate.eof and not self._packed:
                    self._packed = self._file.read(PIECE)
                    if not self._packed:
                        raise InvalidReport("the report's gzip data is cut off")
        except zlib.error as error:
            raise InvalidReport("the report is no gzip data") from error
