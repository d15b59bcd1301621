"""What services ask of the places where bytes lie."""

import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

#: What can be written: also a part of a buffer that its owner goes on using.
Bytes = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Stored:
    """What was written: its key, its length in bytes, the SHA-256 of it in hex."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class End:
    """How many bytes of a trace count, and the CRC-32 of these."""

    size: int
    crc: int

    @classmethod
    def of(cls, data: bytes) -> "End":
        """That of a trace which is `data`."""
        return cls(len(data), zlib.crc32(data))


class Incoming(Protocol):
    """A file on its way in. Leaving the `with` block without `keep` removes it."""

    def write(self, data: Bytes) -> int:
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


class HeldTrace(Protocol):
    """A trace that nobody else adds to meanwhile, in any process. The file has `end.size` bytes."""

    end: End

    def append(self, data: Bytes, moment: float) -> None:
        """Write `data` at the end, and note that it counts and came at `moment` (a time.time()).

        Raises StorageFull, and leaves all as it was.
        """

    def restart(self) -> None:
        """From here on the trace is empty. That is noted with the next `append`."""


class TraceStore(Protocol):
    """Traces: added to at the end, read from any offset.

    How much of one counts is noted beside it with every piece, for one `attempt`: a text that is another one whenever
    the trace begins anew. What is noted of another attempt says nothing of this one.
    """

    def size(self, job_id: int) -> int:
        """Bytes stored, 0 where there are none. The last of them may not count."""

    def hold(
        self, job_id: int, attempt: str, counted: End, begin: Callable[[], object] = lambda: None
    ) -> AbstractContextManager[HeldTrace]:
        """To add to a trace; `counted` is its end where none is noted of `attempt`. Raises StorageFull.

        Then `begin` is called first, with the trace held: what it raises leaves all that is stored as it was.

        File and end agree then, whatever a crash has left. Wait for no lock of the database while holding it.
        """

    def end(self, job_id: int, attempt: str) -> End | None:
        """What is noted of `attempt`, None where nothing is. After a loss of power the file may have less."""

    def sync(self, job_id: int) -> None:
        """Bring the bytes to the disk. Raises StorageFull."""

    def open(self, job_id: int) -> BinaryIO | None:
        """The bytes, seekable; None where there are none."""

    def path(self, job_id: int) -> Path | None:
        """The local file, for sendfile, or None."""

    def remove(self, job_id: int) -> None:
        """Remove; fine when it is gone already."""

    def marks(self, job_id: int) -> list[tuple[int, float]]:
        """(offset, moment) of the pieces, both rising: an offset that came again, because the trace began anew, counts
        as it came last. An aid: where noting one failed, it is missing.
        """

    def uncut(self, job_id: int) -> AbstractContextManager[None]:
        """Meanwhile the trace may grow, but nobody cuts or removes it. Not to be held while adding to it."""

    def keep_index(self, job_id: int, data: bytes) -> None:
        """Keep `data` beside the trace until that is cut or removed; *within* `uncut`. Never fails: it is an aid."""

    def sweep(self, older_than: float) -> int:
        """Remove unfinished files that nobody has written to since `older_than` (a time.time()); return how many."""

    def index(self, job_id: int) -> bytes:
        """What was kept, b"" without."""
