"""A newer commit makes the older pipelines of its ref redundant (gitlab.md C.10)."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from app.domain import status
from app.domain.errors import NotFound
from app.models import Job, Pipeline, Project, write
from app.services.core import Core
from app.services.jobs.finish_job import cancel_held, hold_cancelable
from app.services.locks import lock_pipeline
from app.services.pipelines.advance_pipeline import advance
from app.services.pipelines.cancel_pipeline import cancel_all
from app.services.pipelines.pipeline_request import NO_COMMIT

#: Older ones are left alone: whatever they wait for, it is not this commit.
YOUNGER_THAN = timedelta(days=7)
#: A pipeline that waits for its delayed job would go on by itself, one that waits for a person would not.
GOING_ON = status.ALIVE | {status.SCHEDULED}
#: Child pipelines end with the one that started them, and replace nothing.
CHILD = "parent_pipeline"


def cancel_redundant(core: Core, pipeline_id: int) -> list[int]:
    """Cancel what older pipelines of the same ref still do, as far as each of them allows it; return their ids.

    Each is canceled in a write of its own. Nothing happens where the project does not want it
    (`auto_cancel_pending_pipelines`).
    """
    core.session.rollback()
    newer = core.session.get(Pipeline, pipeline_id)
    if newer is None or newer.source == CHILD or newer.sha == NO_COMMIT:
        return []
    if not newer.project.auto_cancel_pending_pipelines:
        return []
    return [found for found in _older(core, newer) if _cancel(core, found, pipeline_id)]


def _older(core: Core, newer: Pipeline) -> Sequence[int]:
    """The pipelines that `newer` replaces, oldest first."""
    query = select(Pipeline.id, Pipeline.sha).where(
        Pipeline.project_id == newer.project_id,
        Pipeline.ref == newer.ref,
        Pipeline.tag == newer.tag,
        Pipeline.definition_id.is_not_distinct_from(newer.definition_id),
        Pipeline.id < newer.id,
        Pipeline.created_at > core.now() - YOUNGER_THAN,
        Pipeline.sha != newer.sha,
        Pipeline.status.in_(GOING_ON),
        Pipeline.source != CHILD,
        Pipeline.auto_cancel_on_new_commit != "none",
    )
    if newer.source_pipeline_id is not None:
        query = query.where(Pipeline.id != newer.source_pipeline_id)
    older = core.session.execute(query.order_by(Pipeline.id)).all()
    head = _head(core, newer) if older else None  # git is asked only where it matters
    return [row.id for row in older if row.sha != head]


def _head(core: Core, pipeline: Pipeline) -> str:
    """The commit that the pipeline's ref points to by now; its own where the repository has no such ref."""
    project = core.session.get_one(Project, pipeline.project_id)
    if project.repository == "none":
        return pipeline.sha
    kind = "tags" if pipeline.tag else "heads"
    found = core.repositories.open(project.id).current([f"refs/{kind}/{pipeline.ref}"])
    return next((ref.commit for ref in found if ref.commit), None) or pipeline.sha


def _cancel(core: Core, pipeline_id: int, newer_id: int) -> bool:
    """Whether anything of the pipeline was canceled."""
    try:
        with write(core.session):
            pipeline = lock_pipeline(core, pipeline_id)
            if pipeline.status not in GOING_ON:
                return False
            # First the jobs are held, so that none starts behind the question whether one has.
            jobs = hold_cancelable(core, pipeline)
            if pipeline.auto_cancel_on_new_commit == "conservative":
                if _has_begun_for_good(core, pipeline):
                    return False
                cancel_all(core, pipeline)
            else:
                jobs = [job for job in jobs if job.interruptible]
                for job in jobs:
                    cancel_held(core, job)
                advance(core, pipeline)
            if jobs:
                pipeline.auto_canceled_by_id = newer_id
            return bool(jobs)
    except NotFound:  # deleted meanwhile
        return False


def _has_begun_for_good(core: Core, pipeline: Pipeline) -> bool:
    """Whether a job has started that must not be interrupted."""
    begun = select(Job.id).where(
        Job.pipeline_id == pipeline.id, Job.status.in_(status.STARTED), Job.interruptible.is_(False)
    )
    return core.session.scalar(begun.limit(1)) is not None
