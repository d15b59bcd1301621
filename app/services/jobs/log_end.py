"""How much of a job's log counts.

While the job runs, that is noted beside its bytes with every piece (`storage.TraceStore`); its row follows now and
then, and for good when the job ends. So a piece of log costs no transaction.
"""

from typing import Protocol

from app.domain import status
from app.models import Job
from app.services.core import Core
from app.storage.base import End


class LoggedJob(Protocol):
    """A `Job`, or a row with these columns of one."""

    @property
    def id(self) -> int: ...
    @property
    def status(self) -> str: ...
    @property
    def token_hash(self) -> str | None: ...
    @property
    def trace_size(self) -> int: ...
    @property
    def trace_crc(self) -> int: ...
    @property
    def trace_mismatches(self) -> int: ...


COLUMNS = (Job.id, Job.status, Job.token_hash, Job.trace_size, Job.trace_crc, Job.trace_mismatches)
"""What a `LoggedJob` is selected with."""


def attempt(job: LoggedJob) -> str:
    """Differs whenever the log begins anew: for another claim, and after each log that came damaged."""
    return f"{job.token_hash} {job.trace_mismatches}"


def row_end(job: LoggedJob) -> End:
    """What the row counts."""
    return End(job.trace_size, job.trace_crc)


def log_end(core: Core, job: LoggedJob) -> End:
    """How much of the log counts now."""
    noted = core.traces.end(job.id, attempt(job)) if job.status in status.EXECUTING else None
    return noted or row_end(job)


def settle_log(core: Core, job: Job) -> None:
    """*In a write*, with `job` held: its row counts what counts now. Call it before the job ends."""
    end = log_end(core, job)
    job.trace_size, job.trace_crc = end.size, end.crc
