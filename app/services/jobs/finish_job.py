"""The one place where a job ends."""

from collections.abc import Sequence

from sqlalchemy import select

from app.domain import failure, plan_json, status
from app.domain.plan import JobPlan, RetryPolicy
from app.models import Job, JobStep, Pipeline
from app.services.core import Core
from app.services.environments.deliver import job_ended, why_not
from app.services.jobs import resources
from app.services.jobs.attempts import new_attempt
from app.services.jobs.log_end import settle_log
from app.services.jobs.queue import announce_job
from app.services.pipelines.advance_pipeline import advance, advance_held, assign_later
from app.services.pipelines.pipeline_links import hold_children

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
    if new_status == status.FAILED and retry is None and not job.allow_failure and not job.retried:
        _cancel_rest(core, job.pipeline)
    advance_held(core, job.pipeline)
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
    settle_log(core, job)
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
    if job.resource_group_id is not None:
        resources.release(core, job)
        assign_later(core, [job.resource_group_id])
    job_ended(core, job)
    announce_job(core, job)


def cancel_held(core: Core, job: Job, force: bool = False) -> bool:
    """*In a write*, with `job` held: whether anything changed. The caller advances the pipeline."""
    if job.status in status.CANCELABLE and not (job.status == status.RUNNING and stops_gracefully(job)):
        close(core, job, status.CANCELED)
        return True
    if job.status == status.RUNNING:
        job.status, job.updated_at = status.CANCELING, core.now()
        announce_job(core, job)
        return True
    if force and job.status == status.CANCELING:
        close(core, job, status.CANCELED)
        return True
    return False


def stops_gracefully(job: Job) -> bool:
    """Whether the job's runner said that it ends a canceled job by itself (gitlab.md A.5, "Cancel signalling")."""
    manager = job.runner_manager
    return manager is not None and manager.features.get("cancel_gracefully") is True


def hold_cancelable(core: Core, pipeline: Pipeline) -> Sequence[Job]:
    """*In a write*, with `pipeline` held: its jobs that can be canceled, held too."""
    return core.session.scalars(
        select(Job)
        .where(Job.pipeline_id == pipeline.id, Job.status.in_(status.CANCELABLE))
        .order_by(Job.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _cancel_rest(core: Core, pipeline: Pipeline) -> None:
    """One failed job ends the others, those of child pipelines too, where the pipeline wants it so (`auto_cancel:
    on_job_failure`).
    """
    if pipeline.auto_cancel_on_job_failure != "all":
        return
    core.session.flush()
    children = hold_children(core, pipeline)
    for one in (pipeline, *children):
        for job in hold_cancelable(core, one):
            cancel_held(core, job)
    for child in children:
        advance(core, child)


def _retry(core: Core, job: Job) -> Job | None:
    """The next attempt, where the job's policy asks for one (gitlab.md C.8)."""
    if job.retried:
        return None
    policy = plan_json.from_json(RetryPolicy, job.plan.get("retry", {}))
    if not failure.should_retry(policy, job.failure_reason or "", job.exit_code, job.attempt - 1):
        return None
    return new_attempt(core, job, job.user_id, enqueue_immediately=True)


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
