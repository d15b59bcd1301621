"""Traces and artifacts as files below the data folder."""

import errno
import fcntl
import hashlib
import os
import secrets
import struct
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from app.domain.errors import LimitExceeded, StorageFull
from app.storage.base import Stored

#: When a piece of a trace came: its offset, and seconds since 1970.
_MARK = struct.Struct("<Qd")
#: So many are kept of one log, enough for one a second all day. A job could send its log byte by byte.
_MOST_MARKS = 100_000
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _refuse(error: OSError) -> Exception:
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

    def write(self, data: bytes) -> int:
        if self._size + len(data) > self._limit:
            raise LimitExceeded(f"the file is larger than {self._limit} bytes", self._limit)
        try:
            self._write_all(data)
        except OSError as error:
            raise _refuse(error) from error
        self._hash.update(data)
        self._size += len(data)
        return len(data)

    def _write_all(self, data: bytes) -> None:
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
            raise _refuse(error) from error
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
            raise _refuse(error) from error
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
        swept = 0
        folder = self._folder / "incoming"
        for path in folder.iterdir() if folder.is_dir() else ():
            with suppress(FileNotFoundError):  # an upload that ends just now
                if path.stat().st_mtime < older_than:
                    path.unlink()
                    swept += 1
        return swept


class FileTraces:
    """`TraceStore` as one file a job, whose length is the offset. Whoever appends holds the job's row."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, job_id: int) -> Path:
        return self._folder / f"{job_id // 1000:06d}" / f"{job_id}.log"

    def size(self, job_id: int) -> int:
        try:
            return self.path(job_id).stat().st_size
        except FileNotFoundError:
            return 0

    def append(self, job_id: int, offset: int, data: bytes) -> int:
        path = self.path(job_id)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            raise _refuse(error) from error
        try:
            self._write(descriptor, offset, data)
        finally:
            os.close(descriptor)
        return offset + len(data)

    @staticmethod
    def _write(descriptor: int, offset: int, data: bytes) -> None:
        written = 0
        try:
            while written < len(data):
                written += os.pwrite(descriptor, memoryview(data)[written:], offset + written)
        except OSError as error:
            os.ftruncate(descriptor, offset)
            raise _refuse(error) from error

    def truncate(self, job_id: int, size: int) -> None:
        with self._locked(job_id, fcntl.LOCK_EX):
            self._index(job_id).unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                os.truncate(self.path(job_id), size)

    def open(self, job_id: int) -> BinaryIO | None:
        try:
            return self.path(job_id).open("rb")
        except FileNotFoundError:
            return None

    def remove(self, job_id: int) -> None:
        with self._locked(job_id, fcntl.LOCK_EX):
            for path in (self.path(job_id), self._marks(job_id), self._index(job_id)):
                path.unlink(missing_ok=True)

    def _marks(self, job_id: int) -> Path:
        return self.path(job_id).with_suffix(".times")

    def mark(self, job_id: int, offset: int, moment: float) -> None:
        # One write of 16 bytes to the end: it is there whole or not at all, whoever else writes.
        with suppress(OSError):
            descriptor = os.open(self._marks(job_id), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                if os.fstat(descriptor).st_size < _MOST_MARKS * _MARK.size:
                    os.write(descriptor, _MARK.pack(offset, moment))
            finally:
                os.close(descriptor)

    def marks(self, job_id: int) -> list[tuple[int, float]]:
        try:
            data = self._marks(job_id).read_bytes()
        except OSError:
            return []
        found: list[tuple[int, float]] = []
        for offset, moment in _MARK.iter_unpack(data[: len(data) // _MARK.size * _MARK.size]):
            while found and found[-1][0] >= offset:
                found.pop()
            if not found or moment > found[-1][1]:
                found.append((offset, moment))
        return found

    def _index(self, job_id: int) -> Path:
        return self.path(job_id).with_suffix(".index")

    def uncut(self, job_id: int) -> AbstractContextManager[None]:
        return self._locked(job_id, fcntl.LOCK_SH)

    @contextmanager
    def _locked(self, job_id: int, how: int) -> Iterator[None]:
        try:
            descriptor = os.open(self.path(job_id), os.O_RDONLY)
        except FileNotFoundError:
            yield
            return
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)

    def keep_index(self, job_id: int, data: bytes) -> None:
        path = self._index(job_id)
        fresh = path.with_suffix(f".{secrets.token_hex(4)}.index")
        try:
            # Under the lock of a log that was removed meanwhile nothing is to be kept any more.
            if self.path(job_id).exists():
                fresh.touch(0o600)
                fresh.write_bytes(data)
                fresh.rename(path)
        except OSError:
            fresh.unlink(missing_ok=True)

    def index(self, job_id: int) -> bytes:
        try:
            return self._index(job_id).read_bytes()
        except OSError:
            return b""
