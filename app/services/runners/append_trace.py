"""Add a piece to a job's log.

A piece costs one light query. What must outlive a crash stands beside the bytes (`storage.TraceStore`), and the job's
row is written only when its lease has become a bit older.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select

from app import crypto
from app.domain import failure, status
from app.domain.trace import Append, Have, accept
from app.events.base import Notice
from app.extensions import db
from app.models import Job, RunnerManager, after_commit, write
from app.models.direct_select import DirectSelect
from app.services.core import Core
from app.services.jobs.finish_job import finish
from app.services.jobs.kept_index import STEP, keep_index
from app.services.jobs.log_end import COLUMNS, attempt, row_end, settle_log
from app.services.runners.job_authority import NotProcessing, interval_of, renew_lease, running_job
from app.storage.base import Bytes, End

#: A lease is renewed when it was renewed so long ago, or a quarter of its length where that is less.
RENEW_EVERY = timedelta(seconds=10)
#: A session, and a statement that is made anew, would take longer than asking the database.
_SEEN = DirectSelect(
    select(*COLUMNS, Job.erased_at, Job.heard_at, Job.lease_expires_at, RunnerManager.features)
    .outerjoin(RunnerManager, RunnerManager.id == Job.runner_manager_id)
    .where(Job.id == bindparam("job_id"))
)


@dataclass(frozen=True, slots=True)
class Appended:
    """`accepted` False: the piece does not fit, the sender goes on from `size`. `interval` in seconds."""

    accepted: bool
    size: int
    job_status: str
    interval: int


def append_trace(core: Core, job_id: int, token: str, start: int, data: Bytes) -> Appended:
    """Append `data` at byte `start`; a repetition of the last piece is fine. Renews the lease where it is due.

    Raises NotProcessing (also when the log grew beyond its limit, which ends the job), StorageFull.
    """
    job = _running(core, job_id, token)

    def begin() -> None:
        # Nothing is noted of this attempt: it is the first piece, or one that comes late, when the job is another
        # runner's by now or was erased. Whoever it belongs to now waits for the trace.
        _running(core, job_id, token)

    with core.traces.hold(job_id, attempt(job), row_end(job), begin) as held:
        before = held.end.size
        decision = accept(before, start, len(data))
        too_long = isinstance(decision, Append) and decision.size > core.config.trace_limit
        if isinstance(decision, Append) and data and not too_long:
            held.append(data, core.now().timestamp())
            _tell(core, job_id, held.end)
        size = held.end.size
    if too_long:
        _end(core, job_id, token)
        raise NotProcessing(status.FAILED)
    if size // STEP > before // STEP:
        keep_index(core, job)
    job_status = _renew(core, job_id, token) if _is_old(core, job) else job.status
    interval = interval_of(core, job_id, job.features)
    return Appended(isinstance(decision, Append | Have), size, job_status, interval)


def _running(core: Core, job_id: int, token: str) -> Any:
    """The light columns of `running_job`. Raises NotProcessing. Holds no connection afterwards."""
    job = _SEEN.one_or_none(db.engine, job_id=job_id)
    if job is None or job.token_hash is None or not crypto.same(job.token_hash, crypto.token_hash(token)):
        raise NotProcessing
    if job.status not in status.EXECUTING or job.erased_at is not None:
        raise NotProcessing(job.status)
    return job


def _is_old(core: Core, job: Any) -> bool:
    """Whether it is time to renew the lease, or the job was never heard of before."""
    lease = timedelta(seconds=core.config.lease)
    left = job.lease_expires_at - core.now() if job.lease_expires_at else timedelta()
    return job.heard_at is None or left < lease - min(RENEW_EVERY, lease / 4)


def _renew(core: Core, job_id: int, token: str) -> str:
    with write(core.session):
        job = running_job(core, job_id, token, hold="alone")
        renew_lease(core, job)
        settle_log(core, job)
        return job.status


def append_note(core: Core, job: Job, text: str) -> None:
    """*In a write*, with `job` held: a line of the server's own at the end of the log.

    The log is no part of the transaction: one that came to nothing leaves the line there. Whoever tries again finds it,
    and it stands there once.
    """
    note = f"\n\x1b[33;1m{text}\x1b[0;m\n".encode()
    with core.traces.hold(job.id, attempt(job), row_end(job)) as held:
        if not _ends_with(core, job.id, held.end.size, note):
            held.append(note, core.now().timestamp())
        _count(core, job, held.end)


def _ends_with(core: Core, job_id: int, size: int, note: bytes) -> bool:
    file = core.traces.open(job_id) if size >= len(note) else None
    if file is None:
        return False
    with file:
        file.seek(size - len(note))
        return file.read(len(note)) == note


def restart_trace(job: Job) -> None:
    """*In a write*, with `job` held: the log came damaged and begins anew; the next piece is due at byte 0."""
    job.trace_mismatches += 1
    job.trace_size = job.trace_crc = 0


def replace_trace(core: Core, job: Job, trace: bytes) -> None:
    """*In a write*, with `job` held: `trace`, as far as the limit allows, is the whole log."""
    trace = trace[: core.config.trace_limit]
    with core.traces.hold(job.id, attempt(job), row_end(job)) as held:
        if held.end != End.of(trace):
            held.restart()
            held.append(trace, core.now().timestamp())
        _count(core, job, held.end)


def heal(core: Core, job: Job) -> None:
    """*In a write*, with `job` held: its row counts what is there, whatever a crash has left."""
    if not core.traces.size(job.id):
        _count(core, job, End.of(b""))
        return
    with core.traces.hold(job.id, attempt(job), row_end(job)) as held:
        _count(core, job, held.end)


def _count(core: Core, job: Job, end: End) -> None:
    job.trace_size, job.trace_crc = end.size, end.crc
    job_id = job.id
    after_commit(core.session, lambda: _tell(core, job_id, end))


def _tell(core: Core, job_id: int, end: End) -> None:
    """Tell those who read the log, if there are any: they alone want to know, and it is said often."""
    topic = f"trace:{job_id}"
    if core.bus.watched(topic):
        core.bus.publish(Notice(topic, {"size": end.size}))


def _end(core: Core, job_id: int, token: str) -> None:
    """The log is too long: the job ends here, and its log says so."""
    limit = core.config.trace_limit
    with write(core.session):
        job = running_job(core, job_id, token, hold="to move")
        append_note(core, job, f"The log is longer than {limit} bytes, which is the limit here: the job ends.")
        finish(core, job, status.FAILED, failure.TRACE_SIZE_EXCEEDED)
