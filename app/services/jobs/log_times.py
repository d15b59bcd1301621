"""When the parts of a log came, for runners that do not write a time before every line."""

from app.services.core import Core

#: Pieces that came within this many seconds of each other count as one.
_TOGETHER = 0.5


def log_times(core: Core, job_id: int, since: int = 0) -> list[tuple[int, float]]:
    """(offset, seconds since 1970) for the pieces of a job's log that hold bytes from `since` on, in their order."""
    thinned: list[tuple[int, float]] = []
    for offset, moment in core.traces.marks(job_id):
        if thinned and offset <= since:
            thinned.clear()
        if not thinned or moment - thinned[-1][1] >= _TOGETHER:
            thinned.append((offset, round(moment, 3)))
    return thinned
