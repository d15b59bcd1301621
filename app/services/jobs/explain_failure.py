"""Where a failed job failed and what it said last, read from the end of its log."""

from dataclasses import dataclass, replace

from app.domain.errors import NotAllowed, NotFound
from app.domain.log_ending import Ending, read_ending
from app.models import Job, JobStep, User
from app.services.core import Core
from app.services.jobs.read_trace import Trace, open_trace, require_trace

#: So much is read of the end of a log. Longer work after the failure is passed over where the runner told its steps.
TAIL = 96 * 1024
#: So much that comes after the failed step is counted through, to tell its line's number.
_COUNTED = 4 << 20
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Failure:
    """`step`: the failed one, where the runner told. `ending`: None where nothing was printed, or `user` may not read
    it. `ending.first` and `ending.last` count from the end of the whole log; both are 0 where that would take too long.
    """

    step: JobStep | None
    ending: Ending | None


def explain_failure(core: Core, job: Job, user: User | None) -> Failure | None:
    """What `user` may know of why `job` failed; None for a job that did not."""
    if job.status != "failed":
        return None
    step = next((step for step in job.steps if step.status == "failed"), None)
    try:
        require_trace(core, job, user)
    except (NotAllowed, NotFound):
        return Failure(step, None)
    with open_trace(core, job) as trace:
        return Failure(step, _ending(trace, step))


def explain_failures(core: Core, jobs: list[Job], user: User | None, most: int = 3) -> dict[int, Failure]:
    """The same for the first `most` of `jobs` that failed and had to pass, by their ids."""
    failed = [job for job in jobs if job.status == "failed" and not job.allow_failure][:most]
    found = ((job.id, explain_failure(core, job, user)) for job in failed)
    return {job_id: failure for job_id, failure in found if failure is not None}


def _ending(trace: Trace, step: JobStep | None) -> Ending | None:
    first, end = _part_of(step, trace.size)
    start = max(first or 0, end - TAIL)
    trace.seek(start)
    data = trace.read(end - start)
    if start and start != first:
        data = data[data.find(b"\n") + 1 :]
    ending = read_ending(data, None if first is None else ("script",))
    if ending is None or end == trace.size:
        return ending
    after = _lines_after(trace, data.endswith(b"\n"))
    if after is None:
        return replace(ending, first=0, last=0)
    return replace(ending, first=ending.first + after, last=ending.last + after)


def _part_of(step: JobStep | None, size: int) -> tuple[int | None, int]:
    """Where in a log of `size` bytes the failed step printed: (from, to); from None where the runner did not tell."""
    if step is None or step.trace_start is None or step.trace_start >= size:
        return None, size
    end = size if step.trace_end is None else min(step.trace_end, size)
    return (step.trace_start, end) if end > step.trace_start else (None, size)


def _lines_after(trace: Trace, whole: bool) -> int | None:
    """How many more lines there are. `whole`: the one before is at its end."""
    count, last, read = 0, b"\n" if whole else b"", 0
    while piece := trace.read(_PIECE):
        read += len(piece)
        if read > _COUNTED:
            return None
        count += piece.count(b"\n")
        last = piece[-1:]
    ended = last in (b"\n", b"")
    return count + (0 if ended else 1) - (0 if whole else 1)
