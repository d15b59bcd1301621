"""A job's log on its way to the server: masked, bounded, and kept in a file until it is delivered.

The file makes any outage of the server harmless: nothing waits in memory, and after a crash the next start of the
daemon sends what is missing. Bytes stay as the job printed them; they are neither decoded nor repaired.
"""

import os
import threading
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

from runner.masking import Masker

_READ = 1024 * 1024
_RESERVE = 64 * 1024  # room that the job's output leaves for what the runner itself says at the end


class Trace:
    """One job's log. Thread-safe. `limit` is in bytes and counts what is sent, after masking.

    `on_growth` is called after each append, from the thread that wrote.
    """

    def __init__(self, path: Path, masker: Masker, limit: int, on_growth: Callable[[], None] = lambda: None) -> None:
        self.path = path
        self.on_growth = on_growth
        self.problem = ""  # why the log is not complete, where it could not be stored
        self._masker = masker
        self._limit = limit
        self._output_limit = limit - min(_RESERVE, limit // 8)
        self._exceeded = False
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self.size, self._crc = 0, 0
        while piece := os.pread(self._file, _READ, self.size):
            self.size += len(piece)
            self._crc = zlib.crc32(piece, self._crc)

    def write(self, data: bytes) -> None:
        """Append what the job printed. Beyond the limit it is dropped, and the log says so once."""
        with self._lock:
            if self._exceeded:
                return
            safe = self._masker.feed(data)
            room = self._output_limit - self.size
            if len(safe) > room:
                self._exceeded = True
                self._masker.flush()
                safe = safe[: max(0, room)] + _exceeded_notice(self._limit)
            self._append(safe)
        self.on_growth()

    def say(self, text: str) -> None:
        """Append what the runner has to say. This still has room when the job's output reached the limit."""
        with self._lock:
            data = self._masker.feed(text.encode("utf-8", "surrogatepass")) + self._masker.flush()
            self._append(data[: max(0, self._limit - self.size)])
        self.on_growth()

    def hide(self, secrets: Iterable[bytes]) -> None:
        """Mask these too, from here on."""
        with self._lock:
            self._masker.hide(secrets)

    def mark(self) -> int:
        """The size of all that was written up to here; nothing written later can continue a secret across it."""
        with self._lock:
            if not self._exceeded:
                self._append(self._masker.flush())
            return self.size

    def read(self, start: int, length: int) -> bytes:
        """Up to `length` bytes from `start`."""
        return os.pread(self._file, length, start)

    @property
    def checksum(self) -> str:
        """The CRC-32 of the whole log as the protocol spells it (gitlab.md A.4)."""
        return f"crc32:{self._crc:08x}"

    def close(self) -> None:
        """Close the file; it stays where it is."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        written = 0
        try:
            while written < len(view):
                written += os.pwrite(self._file, view[written:], self.size + written)
        except OSError as error:
            # The log ends here, at a border that size and checksum agree on.
            self.problem = f"the log could not be stored: {error.strerror}"
            self._exceeded = True
        self._crc = zlib.crc32(view[:written], self._crc)
        self.size += written


def _exceeded_notice(limit: int) -> bytes:
    return (
        f"\n\x1b[33;1mJob's log exceeded limit of {limit} bytes.\n"
        "Job execution will continue but no more output will be collected.\x1b[0;m\n"
    ).encode()
