"""Start the pipelines that trigger jobs ask for.

A trigger job that becomes pending is found here, by the background's leader: so neither a long transaction nor a
request waits for the compiler, and after a crash it is found again. The pipeline, its link and the job's next status
are written in one transaction, with the job held: there is one pipeline for a job, or none.
"""

import structlog
from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.exc import SQLAlchemyError

from app.domain import failure, status
from app.domain.errors import NotFound, SkerryError
from app.git.command import GitFailed
from app.models import Job, Pipeline, PipelineLink, write
from app.services.core import Core
from app.services.jobs.finish_job import finish
from app.services.jobs.queue import announce_job
from app.services.locks import lock_job, lock_project
from app.services.pipelines.advance_pipeline import advance
from app.services.pipelines.create_pipeline import insert_pipeline
from app.services.pipelines.downstream_request import Refused, downstream_request, trigger_of
from app.services.pipelines.follow_upstream import follow_upstream
from app.services.pipelines.prepare_pipeline import Prepared, prepare_pipeline

log = structlog.get_logger(__name__)

#: How many trigger jobs one round looks at, and how much is kept of what is wrong with a configuration.
BATCH = 500
MOST_SAID = 2000


def start_downstream(core: Core) -> None:
    """One round: every trigger job that waits gets its pipeline, or fails with a reason."""
    waiting = select(Job.id).where(Job.bridge.is_(True), Job.status == status.PENDING, ~_has_started())
    for job_id in core.session.scalars(waiting.order_by(Job.id).limit(BATCH)).all():
        if core.bus.stopping:
            return
        try:
            start_bridge(core, job_id)
        except NotFound:  # removed meanwhile, with its project
            continue
        except SQLAlchemyError:  # the database's trouble, not the job's: it is found again
            log.exception("a downstream pipeline could not be written", job=job_id)


def start_bridge(core: Core, job_id: int) -> None:
    """Start what the trigger job asks for, unless that has happened. Raises NotFound for a job that is gone."""
    core.session.rollback()
    job = core.session.get(Job, job_id, populate_existing=True)
    if job is None or job.status != status.PENDING or not job.bridge:
        return
    trigger = trigger_of(job)
    starts = trigger.project is not None or trigger.configuration is not None
    if trigger.upstream is not None and not follow_upstream(core, job, starts=starts):
        return
    try:
        prepared = prepare_pipeline(core, downstream_request(core, job))
    except Refused as refused:
        _fail(core, job_id, refused.reason, str(refused))
    except (SkerryError, GitFailed) as error:
        _fail(core, job_id, failure.DOWNSTREAM_PIPELINE_CREATION_FAILED, str(error))
    except SQLAlchemyError:
        raise
    except Exception:
        log.exception("a downstream pipeline could not be prepared", job=job_id)
        said = "The server could not make the pipeline; its log says why."
        _fail(core, job_id, failure.DOWNSTREAM_PIPELINE_CREATION_FAILED, said)
    else:
        _start(core, job_id, prepared, trigger.strategy)


def _start(core: Core, job_id: int, prepared: Prepared, strategy: str) -> None:
    with write(core.session):
        lock_project(core, prepared.request.project.id)
        job = lock_job(core, job_id)
        if not _still_waits(core, job):
            return
        pipeline = insert_pipeline(core, prepared)
        if pipeline is None:
            _end(core, job, failure.DOWNSTREAM_PIPELINE_CREATION_FAILED, prepared.nothing_to_do or "")
            return
        if prepared.errors:
            # It stays for people to look at, and nobody waits for it.
            core.session.add(_link(job, pipeline, ""))
            _end(core, job, failure.DOWNSTREAM_PIPELINE_CREATION_FAILED, "\n".join(prepared.errors))
            return
        core.session.add(_link(job, pipeline, strategy))
        now = core.now()
        job.started_at = job.heard_at = job.updated_at = now
        job.waiting_reason = None
        if strategy:
            job.status = status.RUNNING
            announce_job(core, job)
            advance(core, job.pipeline)
        else:
            finish(core, job, status.SUCCESS)


def _link(job: Job, pipeline: Pipeline, strategy: str) -> PipelineLink:
    return PipelineLink(
        pipeline_id=pipeline.id,
        source_pipeline_id=job.pipeline_id,
        source_job_id=job.id,
        child=pipeline.source == "parent_pipeline",
        strategy=strategy,
        status=pipeline.status,
    )


def _has_started() -> ColumnElement[bool]:
    return exists().where(PipelineLink.source_job_id == Job.id)


def _still_waits(core: Core, job: Job) -> bool:
    """Whether `job`, which is held, has not been canceled or started meanwhile."""
    started = core.session.scalar(select(PipelineLink.pipeline_id).where(PipelineLink.source_job_id == job.id).limit(1))
    return job.status == status.PENDING and started is None


def _fail(core: Core, job_id: int, reason: str, message: str) -> None:
    with write(core.session):
        job = lock_job(core, job_id)
        if _still_waits(core, job):
            _end(core, job, reason, message)


def _end(core: Core, job: Job, reason: str, message: str) -> None:
    job.started_at = core.now()
    finish(core, job, status.FAILED, reason, message=message[:MOST_SAID] or None)
