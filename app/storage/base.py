"""What services ask of the places where bytes lie."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """What was written: its key, its length in bytes, the SHA-256 of it in hex."""

    key: str
    size: int
    sha256: str


class Incoming(Protocol):
    """A file on its way in. Leaving the `with` block without `keep` removes it."""

    def write(self, data: bytes) -> int:
        """Append. Raises LimitExceeded past the limit given, StorageFull when the disk is full."""

    def keep(self) -> Stored:
        """Make it permanent (fsync, then rename to its final place)."""


class BlobStore(Protocol):
    """Artifacts: written once, read often, removed."""

    def receive(self, limit: int) -> AbstractContextManager[Incoming]:
        """A new file of at most `limit` bytes, hashed as it comes, already on the file system where it will stay."""

    def open(self, key: str) -> BinaryIO:
        """The bytes, seekable. Raises FileNotFoundError."""

    def path(self, key: str) -> Path | None:
        """The local file, for sendfile; None where bytes do not lie in one."""

    def remove(self, key: str) -> None:
        """Remove; fine when it is gone already."""

    def sweep(self, older_than: float) -> int:
        """Remove unfinished files that nobody has written to since `older_than` (a time.time()); return how many."""


class TraceStore(Protocol):
    """Traces: appended to by offset, read from any offset. The length is the only state."""

    def size(self, job_id: int) -> int:
        """Bytes stored, 0 where there are none."""

    def append(self, job_id: int, offset: int, data: bytes) -> int:
        """Write `data` at `offset`, which must be the size; return the new size. Raises StorageFull, and leaves the
        size as it was.
        """

    def truncate(self, job_id: int, size: int) -> None:
        """Cut back to `size` bytes."""

    def open(self, job_id: int) -> BinaryIO | None:
        """The bytes, seekable; None where there are none."""

    def path(self, job_id: int) -> Path | None:
        """The local file, for sendfile, or None."""

    def remove(self, job_id: int) -> None:
        """Remove; fine when it is gone already."""

    def mark(self, job_id: int, offset: int, moment: float) -> None:
        """Note that the bytes from `offset` on came at `moment` (a time.time()). Never fails: it is an aid."""

    def marks(self, job_id: int) -> list[tuple[int, float]]:
        """What was noted, both rising: an offset that came again, because the log was cut, counts as it came last."""

    def uncut(self, job_id: int) -> AbstractContextManager[None]:
        """Meanwhile the log may grow, but nobody cuts or removes it. Not to be held while writing to the log."""

    def keep_index(self, job_id: int, data: bytes) -> None:
        """Keep `data` beside the log until that is cut or removed; *within* `uncut`. Never fails: it is an aid."""

    def index(self, job_id: int) -> bytes:
        """What was kept, b"" without."""
