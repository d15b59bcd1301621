"""Artifacts as files below the data folder, and what all files there share."""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from app.domain.errors import LimitExceeded, StorageFull
from app.storage.base import Bytes, Stored

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def refusal(error: OSError) -> Exception:
    """StorageFull where `error` says so, else the error itself."""
    return StorageFull("the server's disk is full") if error.errno in _FULL else error


def _sync_folder(folder: Path) -> None:
    """Bring a folder's new names to disk, so that a file which a row counts on survives a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _IncomingFile:
    def __init__(self, folder: Path, key: str, limit: int) -> None:
        self._folder, self._key, self._limit = folder, key, limit
        self._hash, self._size, self.kept = hashlib.sha256(), 0, False
        self.temporary = folder / "incoming" / key.replace("/", "-")
        self.temporary.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.temporary.open("xb", buffering=0)

    def write(self, data: Bytes) -> int:
        if self._size + len(data) > self._limit:
            raise LimitExceeded(f"the file is larger than {self._limit} bytes", self._limit)
        try:
            self._write_all(data)
        except OSError as error:
            raise refusal(error) from error
        self._hash.update(data)
        self._size += len(data)
        return len(data)

    def _write_all(self, data: Bytes) -> None:
        written = 0
        while written < len(data):
            written += self._file.write(memoryview(data)[written:])

    def keep(self) -> Stored:
        target = self._folder / self._key
        try:
            os.fsync(self._file.fileno())
            target.parent.mkdir(parents=True, exist_ok=True)
            self.temporary.rename(target)
            self.kept = True
            _sync_folder(target.parent)
        except OSError as error:
            raise refusal(error) from error
        return Stored(self._key, self._size, self._hash.hexdigest())

    def close(self) -> None:
        with suppress(OSError):
            self._file.close()
        if not self.kept:
            self.temporary.unlink(missing_ok=True)


class FileBlobs:
    """`BlobStore` in one folder: files named at random, spread over 256 folders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def receive(self, limit: int) -> Iterator[_IncomingFile]:
        name = secrets.token_hex(16)
        try:
            incoming = _IncomingFile(self._folder, f"{name[:2]}/{name}", limit)
        except OSError as error:
            raise refusal(error) from error
        try:
            yield incoming
        finally:
            incoming.close()

    def open(self, key: str) -> BinaryIO:
        return (self._folder / key).open("rb")

    def path(self, key: str) -> Path:
        return self._folder / key

    def remove(self, key: str) -> None:
        (self._folder / key).unlink(missing_ok=True)

    def sweep(self, older_than: float) -> int:
        """Remove what uploads left behind that never ended, because the server was killed. Return how many."""
        return sweep_folder(self._folder / "incoming", older_than)


def sweep_folder(folder: Path, older_than: float) -> int:
    """Remove the files in `folder` that nobody has written to since `older_than`; return how many."""
    swept = 0
    for path in folder.iterdir() if folder.is_dir() else ():
        with suppress(FileNotFoundError):  # one that is finished just now
            if path.stat().st_mtime < older_than:
                path.unlink()
                swept += 1
    return swept
