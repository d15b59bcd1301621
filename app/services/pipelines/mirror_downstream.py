"""Tell trigger jobs with a strategy how the pipelines that they started stand (gitlab.md C.9).

What a pipeline's status is now is noted on its link in the transaction that sets it (`note_status`); here, in a
transaction of its own, the job hears of it. After a crash it is told again.
"""

from sqlalchemy import select, text, update

from app.domain import failure, status
from app.domain.errors import NotFound
from app.domain.mirroring import job_status
from app.models import Job, PipelineLink, write
from app.models.triggers import UNTOLD
from app.services.core import Core
from app.services.jobs.finish_job import finish
from app.services.jobs.queue import announce_job
from app.services.jobs.reset_dependents import reset_dependents
from app.services.locks import lock_job
from app.services.pipelines.advance_pipeline import advance
from app.services.pipelines.pipeline_links import link_of

BATCH = 500


def mirror_downstream(core: Core) -> None:
    """One round: every trigger job whose pipeline has moved since it was last told."""
    untold = select(PipelineLink.pipeline_id).where(text(UNTOLD)).order_by(PipelineLink.pipeline_id).limit(BATCH)
    for pipeline_id in core.session.scalars(untold).all():
        if core.bus.stopping:
            return
        try:
            with write(core.session):
                _tell(core, pipeline_id)
        except NotFound:  # removed meanwhile, with its pipeline
            continue


def _tell(core: Core, pipeline_id: int) -> None:
    link = link_of(core, pipeline_id)
    if link is None:
        return
    job = lock_job(core, link.source_job_id)
    link = link_of(core, pipeline_id)
    if link is None:
        return
    seen, told = link.status, link.told_status
    if not job.retried:
        _move(core, job, job_status(link.strategy, seen), reopened=told in status.COMPLETED)
    # Only what was seen counts as told: the pipeline may have moved on.
    core.session.execute(update(PipelineLink).where(PipelineLink.pipeline_id == pipeline_id).values(told_status=seen))


def _move(core: Core, job: Job, wanted: str, *, reopened: bool) -> None:
    """`job`, which is held, becomes `wanted`. What a person canceled stays so, unless its pipeline runs again."""
    if job.status == wanted:
        return
    goes_on = wanted not in status.COMPLETED
    if job.status == status.CANCELED and not (goes_on and reopened):
        return
    had_ended = job.status in status.COMPLETED
    if had_ended or goes_on:
        job.status, job.updated_at = (wanted if goes_on else status.RUNNING), core.now()
        job.finished_at = job.failure_reason = job.failure_message = None
    if not goes_on:
        finish(core, job, wanted, failure.UNKNOWN_FAILURE, message=f"The pipeline that it started: {wanted}.")
        return
    announce_job(core, job)
    if had_ended:
        reset_dependents(core, job, None)
    advance(core, job.pipeline)
