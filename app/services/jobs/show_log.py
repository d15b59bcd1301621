"""A stretch of a job's log, read once and in pieces."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.models import Job
from app.services.core import Core
from app.services.jobs.log_end import log_end
from app.services.jobs.read_trace import PIECE


@dataclass(slots=True)
class Stretch:
    """`size` bytes of a log, to be read once."""

    size: int
    _file: BinaryIO

    def __iter__(self) -> Iterator[bytes]:
        left = self.size
        while left > 0 and (piece := self._file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
        self.close()

    def close(self) -> None:
        self._file.close()


def read_stretch(core: Core, job: Job, start: int = 0, end: int | None = None) -> Stretch | None:
    """The bytes from `start` to `end` (None: all there are), None where there is no log."""
    file = core.traces.open(job.id)
    if file is None:
        return None
    last = min(log_end(core, job).size, core.traces.size(job.id))
    last = last if end is None else min(end, last)
    file.seek(min(start, last))
    return Stretch(max(0, last - start), file)
