"""Traces as files below the data folder: `ID.log` with the bytes, and beside it `ID.times` with what is known of them.

That begins with how many bytes count and their CRC-32, written anew after each piece: a server that is killed between
the two leaves a log that is longer than it should be, and never one that counts bytes which it does not have. Behind it
stands when each piece came.
"""

import fcntl
import os
import secrets
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from app.storage.base import Bytes, End
from app.storage.files import refusal, sweep_folder

#: What a trace's `.times` begins with: this word, whose bytes they are, how many count, their CRC-32, and the CRC-32
#: of all that stands before it.
_END = struct.Struct("<8s16sQI8xI")
_WORD = b"\xffskerry1"
#: When a piece of a trace came: its offset, and seconds since 1970.
_MARK = struct.Struct("<Qd")
#: So many are kept of one log, enough for one a second all day. A job could send its log byte by byte.
_MOST_MARKS = 100_000
_PIECE = 1 << 20
#: Who reads while another process writes may see half of the new bytes, for an instant; then looks again.
_LOOKS = 3


class FileTraces:
    """`TraceStore` as one file a job, whose length is the offset."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = str(folder)

    def _place(self, job_id: int) -> str:
        """The path without its suffix. As text: to put a `Path` together takes longer than to open it."""
        return f"{self._root}/{job_id // 1000:06d}/{job_id}"

    def path(self, job_id: int) -> Path:
        return Path(self._place(job_id) + ".log")

    def times(self, job_id: int) -> Path:
        """The file beside a log."""
        return self.path(job_id).with_suffix(".times")

    def size(self, job_id: int) -> int:
        try:
            return self.path(job_id).stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def hold(
        self, job_id: int, attempt: str, counted: End, begin: Callable[[], object] = lambda: None
    ) -> Iterator["_HeldTrace"]:
        place = self._place(job_id)
        log = _open(place + ".log")
        try:
            fcntl.flock(log, fcntl.LOCK_EX)
            times = _open(place + ".times")
            try:
                noted = _read_end(times, _name(attempt))
                if noted is None:
                    begin()
                yield _HeldTrace(log, times, attempt, noted or counted, lambda: self._forget_index(job_id))
            finally:
                os.close(times)
        finally:
            os.close(log)

    def end(self, job_id: int, attempt: str) -> End | None:
        try:
            descriptor = os.open(self._place(job_id) + ".times", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            return _read_end(descriptor, _name(attempt))
        finally:
            os.close(descriptor)

    def sync(self, job_id: int) -> None:
        try:
            descriptor = os.open(self.path(job_id), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            os.fdatasync(descriptor)
        except OSError as error:
            raise refusal(error) from error
        finally:
            os.close(descriptor)

    def open(self, job_id: int) -> BinaryIO | None:
        try:
            return self.path(job_id).open("rb")
        except FileNotFoundError:
            return None

    def remove(self, job_id: int) -> None:
        with self._locked(job_id, fcntl.LOCK_EX):
            for path in (self.path(job_id), self._index(job_id), self.times(job_id)):
                path.unlink(missing_ok=True)

    def marks(self, job_id: int) -> list[tuple[int, float]]:
        try:
            data = self.times(job_id).read_bytes()
        except OSError:
            return []
        start = _END.size if data.startswith(_WORD) else 0
        found: list[tuple[int, float]] = []
        for offset, moment in _MARK.iter_unpack(data[start : len(data) // _MARK.size * _MARK.size]):
            while found and found[-1][0] >= offset:
                found.pop()
            if not found or moment > found[-1][1]:
                found.append((offset, moment))
        return found

    def _index(self, job_id: int) -> Path:
        return self.path(job_id).with_suffix(".index")

    def _forget_index(self, job_id: int) -> None:
        self._index(job_id).unlink(missing_ok=True)

    def uncut(self, job_id: int) -> AbstractContextManager[None]:
        return self._locked(job_id, fcntl.LOCK_SH)

    @contextmanager
    def _locked(self, job_id: int, how: int) -> Iterator[None]:
        """A lock of `.times`, which goes with cutting alone: that of the log goes with adding to it."""
        if not self.path(job_id).exists():
            yield
            return
        times = _open(self._place(job_id) + ".times")
        try:
            fcntl.flock(times, how)
            yield
        finally:
            os.close(times)

    def keep_index(self, job_id: int, data: bytes) -> None:
        fresh = self._unfinished / f"{job_id}.{secrets.token_hex(4)}"
        try:
            # Under the lock of a log that was removed meanwhile nothing is to be kept any more.
            if self.path(job_id).exists():
                self._unfinished.mkdir(exist_ok=True)
                fresh.touch(0o600)
                fresh.write_bytes(data)
                fresh.rename(self._index(job_id))
        except OSError:
            fresh.unlink(missing_ok=True)

    @property
    def _unfinished(self) -> Path:
        """Apart from the logs, of which there may be millions: so that looking for what was left behind is cheap."""
        return self._folder / "incoming"

    def sweep(self, older_than: float) -> int:
        return sweep_folder(self._unfinished, older_than)

    def index(self, job_id: int) -> bytes:
        try:
            return self._index(job_id).read_bytes()
        except OSError:
            return b""


class _HeldTrace:
    """`HeldTrace` over the open files, of which `log` is locked."""

    def __init__(self, log: int, times: int, attempt: str, end: End, forget_index: Callable[[], None]) -> None:
        self._log, self._times, self._attempt, self._forget_index = log, times, _name(attempt), forget_index
        self.end = self._agree(end)

    def _agree(self, end: End) -> End:
        """Make file and count agree after a crash: what does not count goes, what the file lost does not count."""
        stored = os.fstat(self._log).st_size
        if stored < end.size:
            end = End(stored, _crc(self._log))
            self._cut(stored)
        elif stored > end.size:
            self._cut(end.size)
        return end

    def _cut(self, size: int) -> None:
        """What is kept about the trace goes with its end; whoever makes that now is waited for."""
        fcntl.flock(self._times, fcntl.LOCK_EX)
        self._forget_index()
        os.ftruncate(self._log, size)
        fcntl.flock(self._times, fcntl.LOCK_UN)

    def append(self, data: Bytes, moment: float) -> None:
        before = self.end
        after = End(before.size + len(data), zlib.crc32(data, before.crc))
        try:
            _write(self._log, before.size, data)
            _write(self._times, 0, self._record(after))
        except OSError as error:
            os.ftruncate(self._log, before.size)
            raise refusal(error) from error
        self.end = after
        self._mark(before.size, moment)

    def restart(self) -> None:
        self.end = End(0, 0)
        self._cut(0)

    def _record(self, end: End) -> bytes:
        record = _END.pack(_WORD, self._attempt, end.size, end.crc, 0)[:-4]
        return record + zlib.crc32(record).to_bytes(4, "little")

    def _mark(self, offset: int, moment: float) -> None:
        with suppress(OSError):  # a time that cannot be noted stops nothing
            marks = (os.fstat(self._times).st_size - _END.size) // _MARK.size
            if marks < _MOST_MARKS:
                _write(self._times, _END.size + marks * _MARK.size, _MARK.pack(offset, moment))


def _open(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            return os.open(path, flags, 0o600)
    except OSError as error:
        raise refusal(error) from error


def _write(descriptor: int, offset: int, data: Bytes) -> None:
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, memoryview(data)[written:], offset + written)


def _crc(descriptor: int) -> int:
    crc = at = 0
    while piece := os.pread(descriptor, _PIECE, at):
        crc, at = zlib.crc32(piece, crc), at + len(piece)
    return crc


def _name(attempt: str) -> bytes:
    return blake2b(attempt.encode(), digest_size=16).digest()


def _read_end(descriptor: int, attempt: bytes) -> End | None:
    """None where nothing was noted, it is of another attempt, or a loss of power left half of it."""
    for _ in range(_LOOKS):
        record = os.pread(descriptor, _END.size, 0)
        if len(record) < _END.size:
            return None
        word, of, size, crc, check = _END.unpack(record)
        if check == zlib.crc32(record[:-4]):
            return End(size, crc) if (word, of) == (_WORD, attempt) else None
    return None
