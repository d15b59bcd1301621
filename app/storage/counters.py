"""Counts that several processes of one host share: how often something happened in the current minute.

They lie in a small file of fixed size, read and written under a lock in place, which costs a few microseconds and no
database. A reader of the file learns nothing: names are hashed. What happened before a restart counts on.
"""

import fcntl
import os
import weakref
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from threading import Lock

#: A name's hash, the number of its window, and how often it was counted there.
_SLOT = Struct("<8sII")
_SLOTS = 1 << 16
#: So many places a name may stand at: where all are taken, the least counted makes way.
_WAYS = 8
_MOST = 2**32 - 1


class SharedCounters:
    """Counters by name, in the file at `path`, which is made when first needed. For threads and processes alike."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._lock = Lock()

    def count(self, name: str, window: int) -> int:
        """Count `name` once more in `window` (a number that grows with time); how often that is by now, with this.

        Raises OSError where the file cannot be made.
        """
        digest = blake2b(name.encode(), digest_size=8).digest()
        start = int.from_bytes(digest) % (_SLOTS // _WAYS) * _WAYS * _SLOT.size
        with self._lock:
            file = self._open() if self._file is None else self._file
            fcntl.lockf(file, fcntl.LOCK_EX, _WAYS * _SLOT.size, start)
            try:
                place, counted = _find(os.pread(file, _WAYS * _SLOT.size, start), digest, window)
                os.pwrite(file, _SLOT.pack(digest, window, min(counted + 1, _MOST)), start + place * _SLOT.size)
            finally:
                fcntl.lockf(file, fcntl.LOCK_UN, _WAYS * _SLOT.size, start)
        return counted + 1

    def _open(self) -> int:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, _SLOTS * _SLOT.size)  # so that no disk is too full to write it later
        except BaseException:
            os.close(file)
            raise
        self._file = file
        weakref.finalize(self, os.close, file)
        return file


def _find(slots: bytes, digest: bytes, window: int) -> tuple[int, int]:
    """Where among `slots` the count of `digest` belongs, and what it is so far."""
    best, least = 0, _MOST + 1
    for place, (known, when, counted) in enumerate(_SLOT.iter_unpack(slots)):
        worth = counted if when == window else 0
        if known == digest and worth:
            return place, worth
        if worth < least:
            best, least = place, worth
    return best, 0
