"""Add a piece to a job's log."""

import zlib
from dataclasses import dataclass
from typing import BinaryIO

from app.domain import failure, status
from app.domain.trace import Append, Have, accept
from app.events.base import Notice
from app.models import Job, after_commit, write
from app.services.core import Core
from app.services.jobs.finish_job import finish
from app.services.jobs.kept_index import STEP, keep_index
from app.services.runners.job_authority import NotProcessing, renew_lease, running_job, update_interval

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Appended:
    """`accepted` False: the piece does not fit, the sender goes on from `size`. `interval` in seconds."""

    accepted: bool
    size: int
    job_status: str
    interval: int


def append_trace(core: Core, job_id: int, token: str, start: int, data: bytes) -> Appended:
    """Append `data` at byte `start`; a repetition of the last piece is fine. Renews the lease.

    The bytes are written first, the row says how many count: after a crash between the two the file is cut back to the
    row, and the sender goes on from there. Raises NotProcessing (also when the log grew beyond its limit, which ends
    the job), StorageFull.
    """
    with write(core.session):
        job = running_job(core, job_id, token, hold="alone")
        heal(core, job)
        decision = accept(job.trace_size, start, len(data))
        too_long = isinstance(decision, Append) and decision.size > core.config.trace_limit
        if not too_long:
            renew_lease(core, job)
            if isinstance(decision, Append) and data:
                _add(core, job, data)
            answer = Appended(
                accepted=isinstance(decision, Append | Have),
                size=job.trace_size,
                job_status=job.status,
                interval=update_interval(core, job),
            )
    if too_long:
        _end(core, job_id, token)
        raise NotProcessing(status.FAILED)
    return answer


def append_note(core: Core, job: Job, text: str) -> None:
    """*In a write*, with `job` held: a line of the server's own at the end of the log."""
    heal(core, job)
    _add(core, job, f"\n\x1b[33;1m{text}\x1b[0;m\n".encode())


def restart_trace(core: Core, job: Job) -> None:
    """*In a write*, with `job` held: the log begins anew; the next piece is due at byte 0."""
    job.trace_size = job.trace_crc = 0


def replace_trace(core: Core, job: Job, trace: bytes) -> None:
    """*In a write*, with `job` held: `trace`, as far as the limit allows, is the whole log."""
    heal(core, job)
    trace = trace[: core.config.trace_limit]
    if (len(trace), zlib.crc32(trace)) != (job.trace_size, job.trace_crc):
        restart_trace(core, job)
        heal(core, job)
        _add(core, job, trace)


def heal(core: Core, job: Job) -> None:
    """Make file and row agree after a crash: what the row does not count goes, what the file lost comes again."""
    stored = core.traces.size(job.id)
    if stored > job.trace_size:
        core.traces.truncate(job.id, job.trace_size)
    elif stored < job.trace_size:
        core.traces.truncate(job.id, stored)  # what was kept about the lost end goes with it
        job.trace_size, job.trace_crc = stored, _crc(core.traces.open(job.id))


def _crc(file: BinaryIO | None) -> int:
    crc = 0
    if file is not None:
        with file:
            while piece := file.read(_PIECE):
                crc = zlib.crc32(piece, crc)
    return crc


def _add(core: Core, job: Job, data: bytes) -> None:
    size = core.traces.append(job.id, job.trace_size, data)
    core.traces.mark(job.id, job.trace_size, core.now().timestamp())
    job.trace_size, job.trace_crc = size, zlib.crc32(data, job.trace_crc)
    notice = Notice(f"trace:{job.id}", {"size": size})
    after_commit(core.session, lambda: core.bus.publish(notice))
    job_id = job.id
    if size // STEP > (size - len(data)) // STEP:
        after_commit(core.session, lambda: keep_index(core, job_id, size))


def _end(core: Core, job_id: int, token: str) -> None:
    """The log is too long: the job ends here, and its log says so."""
    limit = core.config.trace_limit
    with write(core.session):
        job = running_job(core, job_id, token, hold="to move")
        append_note(core, job, f"The log is longer than {limit} bytes, which is the limit here: the job ends.")
        finish(core, job, status.FAILED, failure.TRACE_SIZE_EXCEEDED)
