"""The one place where a job ends."""

from collections.abc import Sequence

from app.domain import failure, plan_json, status
from app.domain.plan import JobPlan, RetryPolicy
from app.models import Job, JobStep
from app.services.core import Core
from app.services.environments.deliver import job_ended, why_not
from app.services.jobs.attempts import new_attempt
from app.services.jobs.queue import announce_job, make_pending
from app.services.pipelines.advance_pipeline import advance

_AFTER_SUCCESS = {"on_success", "always"}


def finish(
    core: Core,
    job: Job,
    new_status: str,
    reason: str | None = None,
    exit_code: int | None = None,
    message: str | None = None,
) -> Job | None:
    """*In a write*, with `job` held by `lock_job`: end it as success, failed or canceled; return its automatic retry.

    `reason` (`domain.failure`), `exit_code` and `message` (a sentence for people) count only for failed. Its token and
    lease are void from here on. Nothing happens to a job that has ended: the first end stands.
    """
    if job.status in status.COMPLETED:
        return None
    if new_status == status.SUCCESS and (problem := why_not(core, job)) is not None:
        new_status, reason, exit_code, message = status.FAILED, failure.SCRIPT_FAILURE, 1, problem
    close(core, job, new_status, reason, exit_code, message)
    retry = _retry(core, job) if new_status == status.FAILED else None
    advance(core, job.pipeline)
    return retry


def close(
    core: Core,
    job: Job,
    new_status: str,
    reason: str | None = None,
    exit_code: int | None = None,
    message: str | None = None,
) -> None:
    """*In a write*: `finish` without what follows from it, for callers who end many jobs and advance once."""
    failed = new_status == status.FAILED
    now = core.now()
    job.status = new_status
    job.failure_reason = (reason or failure.UNKNOWN_FAILURE) if failed else None
    job.failure_message = message if failed else None
    job.exit_code = exit_code
    job.finished_at = job.updated_at = now
    job.lease_expires_at = job.scheduled_at = job.waiting_reason = None
    if failed and exit_code is not None and exit_code in job.plan.get("allow_failure_exit_codes", ()):
        job.allow_failure = True
    _close_steps(job.steps, job)
    job_ended(core, job)
    announce_job(core, job)


def _retry(core: Core, job: Job) -> Job | None:
    """The next attempt, where the job's policy asks for one (gitlab.md C.8)."""
    if job.retried:
        return None
    policy = plan_json.from_json(RetryPolicy, job.plan.get("retry", {}))
    if not failure.should_retry(policy, job.failure_reason or "", job.exit_code, job.attempt - 1):
        return None
    copy = new_attempt(core, job, job.user_id)
    if job.when in ("manual", "delayed"):  # somebody, or the time, started it already
        make_pending(core, job.project, [copy.id])
    return copy


def _close_steps(steps: Sequence[JobStep], job: Job) -> None:
    """No step stays open: what ran ends as the job did, what never began was skipped.

    A stock runner reports no steps: then they all succeeded with the job, or the first took its end.
    """
    reported = any(step.status != status.CREATED for step in steps)
    for step in steps:
        if step.status == status.RUNNING:
            step.status, step.finished_at = job.status, job.finished_at
        elif step.status == status.CREATED:
            step.status = status.SKIPPED
    if steps and not reported and job.started_at is not None:
        _guess_steps(steps, job)


def _guess_steps(steps: Sequence[JobStep], job: Job) -> None:
    if job.status != status.SUCCESS:
        steps[0].status = job.status
        return
    planned = plan_json.from_json(JobPlan, job.plan).steps
    for step in steps:
        if step.position >= len(planned) or planned[step.position].when in _AFTER_SUCCESS:
            step.status = status.SUCCESS
