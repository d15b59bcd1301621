"""Trigger jobs that wait for a pipeline which is removed: nothing would ever tell them how it ended."""

from functools import partial

from sqlalchemy import Select, exists, select, text

from app.domain import failure, status
from app.domain.errors import NotFound
from app.models import Job, PipelineLink, write
from app.models.jobs import FOLLOWING
from app.services.afterwards import afterwards
from app.services.core import Core
from app.services.jobs.finish_job import finish
from app.services.locks import lock_job

#: How many jobs one round ends.
BATCH = 200


def fail_waiting(core: Core, pipeline_ids: Select[int]) -> None:
    """*In a write* that removes the pipelines of these ids: jobs of others that wait for them fail after its commit.

    Only then, because the pipelines of those jobs must not be held beside these.
    """
    waiting = select(PipelineLink.source_job_id).where(
        PipelineLink.pipeline_id.in_(pipeline_ids),
        PipelineLink.source_pipeline_id.not_in(pipeline_ids),
        PipelineLink.strategy != "",
    )
    for job_id in core.session.scalars(waiting.order_by(PipelineLink.source_job_id)).all():
        afterwards(core, partial(_fail, core, job_id))


def fail_forgotten(core: Core) -> None:
    """One round: trigger jobs that wait for a pipeline which is gone, because a server was killed between its removal
    and their failing.
    """
    linked = exists().where(PipelineLink.source_job_id == Job.id)
    waiting = select(Job.id).where(text(FOLLOWING), Job.retried.is_(False), ~linked)
    for job_id in core.session.scalars(waiting.order_by(Job.id).limit(BATCH)).all():
        if core.bus.stopping:
            return
        _fail(core, job_id)


def _fail(core: Core, job_id: int) -> None:
    try:
        with write(core.session):
            job = lock_job(core, job_id)
            if not job.retried and job.status not in status.COMPLETED:
                message = "The pipeline that it started was removed."
                finish(core, job, status.FAILED, failure.UNKNOWN_FAILURE, message=message)
    except NotFound:  # removed meanwhile, and waits no more
        return
