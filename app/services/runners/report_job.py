"""What a runner says of its job: it runs, it ended, it is handed back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select

from app.domain import failure, status
from app.domain.errors import Conflict, InvalidRequest
from app.models import Job, RunnerManager, write
from app.services.core import Core
from app.services.jobs.finish_job import finish
from app.services.reports.measure_coverage import measure_coverage
from app.services.runners.append_trace import append_note, heal, replace_trace, restart_trace
from app.services.runners.claim_job import give_back
from app.services.runners.job_authority import (
    NotProcessing,
    interval_of,
    is_token,
    owned_job,
    renew_lease,
    running_job,
    update_interval,
)
from app.services.runners.report_steps import report_steps

#: After so many logs that came damaged, the job ends with the one that is there.
RESENDS = 3
FINAL = (status.SUCCESS, status.FAILED)
HAND_BACK = "skerry_hand_back"
_DAMAGED = "WARNING: the log may be incomplete, its checksum was wrong several times."


@dataclass(frozen=True, slots=True)
class Report:
    """A runner's update (gitlab.md A.4). `state`: running, success, failed or pending.

    `crc` and `size` are of the whole log as it was sent; None: not said. `steps` as our own runner reports them.
    `trace`: the whole log so far, as clients from before GitLab 9 sent it with each update.
    """

    state: str
    failure_reason: str | None = None
    exit_code: int | None = None
    crc: int | None = None
    size: int | None = None
    steps: Sequence[Mapping[str, Any]] = ()
    trace: bytes | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """The job's status afterwards. `resend`: the log is damaged, send it again from byte 0. `interval` in seconds."""

    job_status: str
    interval: int
    resend: bool = False


def report_job(core: Core, job_id: int, token: str, report: Report) -> Heard:
    """Take a runner's report. Raises InvalidRequest, NotProcessing, Conflict (the job cannot be handed back)."""
    if report.trace is not None:
        _keep_log(core, job_id, token, report.trace)
    if report.state == status.RUNNING:
        return _touch(core, job_id, token, report)
    if report.state == status.PENDING:
        return _hand_back(core, job_id, token)
    if report.state in FINAL:
        return _end(core, job_id, token, report)
    raise InvalidRequest("state does not have a valid value", "state")


def _keep_log(core: Core, job_id: int, token: str, trace: bytes) -> None:
    """In a write of its own, so that what reads the log at the job's end finds all of it."""
    with write(core.session):
        job = owned_job(core, job_id, token, hold="alone")
        if job.status in status.EXECUTING:
            replace_trace(core, job, trace)


def _touch(core: Core, job_id: int, token: str, report: Report) -> Heard:
    with write(core.session):
        job = running_job(core, job_id, token, hold="alone")
        renew_lease(core, job)
        report_steps(core, job, report.steps)
        return Heard(job.status, update_interval(core, job))


def _hand_back(core: Core, job_id: int, token: str) -> Heard:
    """Our runner gives back a job that it will not run. A stock one says so of a job that it has yet to begin."""
    with write(core.session):
        job = running_job(core, job_id, token, hold="to move")
        manager = job.runner_manager
        if manager is not None and manager.features.get(HAND_BACK) is True:
            _return(core, job)
        elif job.heard_at is not None:
            raise Conflict("the job has begun")
        else:
            job.lease_expires_at = core.now() + timedelta(seconds=core.config.claim_lease)
        return Heard(job.status, update_interval(core, job))


def _return(core: Core, job: Job) -> None:
    if job.status == status.CANCELING:
        finish(core, job, status.CANCELED)
    else:
        give_back(core, job)


_ENDING = (
    select(Job.token_hash, Job.plan, RunnerManager.features)
    .outerjoin(RunnerManager, RunnerManager.id == Job.runner_manager_id)
    .where(Job.id == bindparam("job_id"))
)


def _end(core: Core, job_id: int, token: str, report: Report) -> Heard:
    seen = _ending(core, job_id, token)
    # Searching a long log takes a moment: that is done before the job is held.
    coverage = measure_coverage(core, owned_job(core, job_id, token)) if seen.plan.get("coverage") else None
    # The runner forgets the log once its end is taken.
    core.traces.sync(job_id)
    with write(core.session):
        job = owned_job(core, job_id, token, hold="to move")
        if job.status == report.state:  # the answer to the first one was lost
            return Heard(job.status, interval_of(core, job_id, seen.features))
        job = running_job(core, job_id, token)
        # The steps first: reading them would write what is known of the job so far.
        report_steps(core, job, report.steps)
        renew_lease(core, job)
        if _is_damaged(core, job, report):
            if job.trace_mismatches < RESENDS:
                restart_trace(job)
                return Heard(job.status, interval_of(core, job_id, seen.features), resend=True)
            append_note(core, job, _DAMAGED)
        job.coverage = coverage
        _finish(core, job, report)
        return Heard(job.status, interval_of(core, job_id, seen.features))


def _ending(core: Core, job_id: int, token: str) -> Row[Any]:
    """What the end of a job depends on beside the job itself, before it is held. Raises NotProcessing."""
    seen = core.session.execute(_ENDING, {"job_id": job_id}).first()
    if seen is None or not is_token(token, seen.token_hash):
        raise NotProcessing
    return seen


def _is_damaged(core: Core, job: Job, report: Report) -> bool:
    """Whether what arrived is not what was sent."""
    if report.crc is None:
        return False
    heal(core, job)
    return report.crc != job.trace_crc or (report.size is not None and report.size != job.trace_size)


def _finish(core: Core, job: Job, report: Report) -> None:
    if job.status == status.CANCELING:
        finish(core, job, status.CANCELED, exit_code=report.exit_code)
    elif report.state == status.SUCCESS:
        finish(core, job, status.SUCCESS, exit_code=0)
    else:
        known = report.failure_reason if report.failure_reason in failure.REASONS else failure.UNKNOWN_FAILURE
        finish(core, job, status.FAILED, known, report.exit_code)
