"""Ends what went quiet, starts what is due, removes what expired. The background's leader calls it over and over.

Every job is looked at again with its row held before it is moved: a runner that speaks up in between wins.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

import structlog
from sqlalchemy import select

from app.domain import failure, status
from app.domain.errors import NotFound
from app.models import Artifact, Job, Runner, write
from app.services.artifacts.remove_artifacts import remove_artifacts
from app.services.core import Core
from app.services.jobs import resources
from app.services.jobs.explain_waiting import explain_waiting, without_runner
from app.services.jobs.finish_job import finish
from app.services.locks import lock_job
from app.services.pipelines.advance_pipeline import advance, assign_resource, enqueue
from app.services.reports.read_report import forget_cases
from app.services.runners.claim_job import give_back
from app.services.runners.job_payload import effective_timeout

log = structlog.get_logger(__name__)

#: A job may take so much longer than its timeout before the server ends it: after_script and uploads come behind it.
TIMEOUT_MARGIN = timedelta(minutes=15)
#: How many rows of a kind one round looks at.
BATCH = 200


def reap_jobs(core: Core) -> None:
    """One round of everything. Ends early when the server stops."""
    jobs = (end_lost_jobs, start_delayed_jobs, assign_resources, end_late_jobs, end_stuck_jobs)
    for step in (*jobs, expire_artifacts, explain_waiting):
        if core.bus.stopping:
            return
        step(core)


def end_lost_jobs(core: Core) -> None:
    """Jobs whose lease ran out: one never heard of is given back, one that went quiet has failed (design, "Lease")."""

    def end(job: Job) -> None:
        if job.lease_expires_at is None or job.lease_expires_at >= core.now():
            return
        if job.status == status.CANCELING:
            finish(core, job, status.CANCELED)
        elif job.heard_at is None:
            log.info("a claimed job was never heard of", job=job.id, runner=job.runner_id)
            give_back(core, job)
        else:
            log.info("a running job went quiet", job=job.id, runner=job.runner_id)
            said = f"The runner was not heard of for {core.config.lease} seconds."
            finish(core, job, status.FAILED, failure.RUNNER_SYSTEM_FAILURE, message=said)

    late = select(Job.id).where(Job.lease_expires_at < core.now()).order_by(Job.lease_expires_at).limit(BATCH)
    _each(core, core.session.scalars(late).all(), status.EXECUTING, end)


def start_delayed_jobs(core: Core) -> None:
    """Delayed jobs whose time has come."""

    def start(job: Job) -> None:
        enqueue(core, job)
        advance(core, job.pipeline)

    due = select(Job.id).where(Job.status == status.SCHEDULED, Job.scheduled_at <= core.now())
    due = due.order_by(Job.scheduled_at).limit(BATCH)
    _each(core, core.session.scalars(due).all(), {status.SCHEDULED}, start)


def end_late_jobs(core: Core) -> None:
    """Jobs that run far beyond their timeout, though their runner still speaks of them."""

    def end(job: Job) -> None:
        canceling = job.status == status.CANCELING
        finish(core, job, status.CANCELED if canceling else status.FAILED, failure.SERVER_TIMEOUT_RUNNING)

    running = core.session.execute(
        select(Job.id, Job.started_at, Job.timeout, Runner.maximum_timeout)
        .outerjoin(Runner, Runner.id == Job.runner_id)
        .where(Job.lease_expires_at.is_not(None), Job.started_at.is_not(None))
    ).all()
    begun = core.now() - TIMEOUT_MARGIN
    late = [
        row.id
        for row in running
        if row.started_at + timedelta(seconds=effective_timeout(row.timeout, row.maximum_timeout)) < begun
    ]
    _each(core, late, status.EXECUTING, end)


def end_stuck_jobs(core: Core) -> None:
    """Jobs that waited beyond all patience; those that no runner can take have to wait less long."""
    now, config = core.now(), core.config
    old = core.session.execute(
        select(Job.id, Job.project_id, Job.queued_at)
        .where(
            Job.status == status.PENDING,
            Job.bridge.is_(False),
            Job.queued_at < now - timedelta(seconds=config.stuck_after),
        )
        .order_by(Job.queued_at)
    ).all()
    hopeless = without_runner(core, [(row.id, row.project_id) for row in old])
    too_old = {row.id for row in old if row.queued_at < now - timedelta(seconds=config.pending_limit)}

    def end(job: Job) -> None:
        reason = hopeless.get(job.id, failure.STUCK_PENDING_WITH_MATCHING_RUNNERS)
        finish(core, job, status.FAILED, reason, message=job.waiting_reason)

    _each(core, sorted(hopeless.keys() | too_old), {status.PENDING}, end)


def assign_resources(core: Core) -> None:
    """Resources that were freed while nobody looked: their holder was deleted, or a server killed after its commit."""
    for group_id in resources.groups_in_want(core):
        if core.bus.stopping:
            return
        assign_resource(core, group_id)


def expire_artifacts(core: Core) -> None:
    """Remove artifacts whose time is over, and the rows of tests that were read out of one. The job keeps the time, so
    that what depends on it fails with a reason.
    """
    due = select(Artifact.id).where(Artifact.expire_at <= core.now())
    while not core.bus.stopping and core.session.scalar(due.limit(1)) is not None:
        with write(core.session):
            expired = select(Artifact).where(Artifact.expire_at <= core.now()).order_by(Artifact.expire_at)
            gone = core.session.scalars(expired.limit(BATCH)).all()
            forget_cases(core, {artifact.job_id for artifact in gone if artifact.file_type == "junit"})
            remove_artifacts(core, gone)


def _each(core: Core, job_ids: Iterable[int], statuses: Iterable[str], act: Callable[[Job], None]) -> None:
    """`act` on each of these jobs that still has one of `statuses`, held in a write of its own."""
    for job_id in job_ids:
        if core.bus.stopping:
            return
        try:
            with write(core.session):
                job = lock_job(core, job_id)
                if job.status in statuses:
                    act(job)
        except NotFound:  # removed meanwhile, with its project
            continue
