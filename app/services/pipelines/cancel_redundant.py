"""A newer commit makes the older pipelines of its ref redundant (gitlab.md C.10).

Whether there are any is written down with the newer pipeline (`replaces_older`), in one transaction; they are canceled
after it, each in one of its own. Where a server is killed in between, `cancel_overdue` does it later.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import structlog
from sqlalchemy import Select, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from app.domain import status
from app.domain.errors import NotFound
from app.git.command import GitFailed
from app.models import Job, Pipeline, Project, write
from app.models.pipelines import REPLACING
from app.services.core import Core
from app.services.jobs.finish_job import cancel_held, hold_cancelable
from app.services.locks import lock_pipeline
from app.services.pipelines.advance_pipeline import advance
from app.services.pipelines.cancel_pipeline import cancel_pipelines
from app.services.pipelines.pipeline_links import hold_children
from app.services.pipelines.pipeline_request import MERGE_REQUEST, NO_COMMIT

log = structlog.get_logger(__name__)

#: Older ones are left alone: whatever they wait for, it is not this commit.
YOUNGER_THAN = timedelta(days=7)
#: A pipeline that waits for its delayed job would go on by itself, one that waits for a person would not.
GOING_ON = status.ALIVE | {status.SCHEDULED}
#: Child pipelines end with the one that started them, and replace nothing.
CHILD = "parent_pipeline"
#: How many newer pipelines one round looks at.
BATCH = 100


def replaces_older(core: Core, newer: Pipeline) -> bool:
    """*In a write* that adds `newer`: whether there may be older pipelines for `cancel_redundant` to cancel."""
    if newer.source == CHILD or newer.sha == NO_COMMIT or not newer.project.auto_cancel_pending_pipelines:
        return False
    return core.session.execute(_candidates(core, newer).limit(1)).first() is not None


def cancel_overdue(core: Core) -> None:
    """One round: what `cancel_redundant` was not called for, or did not end."""
    core.session.rollback()
    waiting = core.session.scalars(select(Pipeline.id).where(text(REPLACING)).order_by(Pipeline.id).limit(BATCH)).all()
    for pipeline_id in waiting:
        if core.bus.stopping:
            return
        try:
            cancel_redundant(core, pipeline_id)
        except (GitFailed, SQLAlchemyError):  # one repository that is broken must not hold up the others
            log.exception("older pipelines could not be canceled", pipeline=pipeline_id)


def cancel_redundant(core: Core, pipeline_id: int) -> list[int]:
    """Cancel what older pipelines of the same ref still do, as far as each of them allows it; return their ids.

    Each is canceled in a write of its own. Nothing happens where the project does not want it
    (`auto_cancel_pending_pipelines`).
    """
    core.session.rollback()
    newer = core.session.get(Pipeline, pipeline_id)
    older = _older(core, newer) if newer is not None and replaces_older(core, newer) else []
    canceled = [found for found in older if _cancel(core, found, pipeline_id)]
    with write(core.session):
        done = update(Pipeline).where(Pipeline.id == pipeline_id, Pipeline.replaces_older.is_(True))
        core.session.execute(done.values(replaces_older=False))
    return canceled


def _older(core: Core, newer: Pipeline) -> Sequence[int]:
    """The pipelines that `newer` replaces, oldest first."""
    older = core.session.execute(_candidates(core, newer).order_by(Pipeline.id)).all()
    head = _head(core, newer) if older else None  # git is asked only where it matters
    return [row.id for row in older if row.sha != head]


def _candidates(core: Core, newer: Pipeline) -> Select[int, str]:
    """Id and commit of the pipelines that `newer` replaces, unless they are of the commit that is the newest now."""
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
    # Those of a branch and of a merge request from it stand beside each other.
    of_request = Pipeline.source == MERGE_REQUEST
    query = query.where(of_request if newer.source == MERGE_REQUEST else ~of_request)
    if newer.source_pipeline_id is not None:
        query = query.where(Pipeline.id != newer.source_pipeline_id)
    return query


def _head(core: Core, pipeline: Pipeline) -> str:
    """The commit that the pipeline's ref points to by now; its own where the repository has no such ref."""
    project = core.session.get_one(Project, pipeline.project_id)
    if project.repository == "none":
        return pipeline.sha
    kind = "tags" if pipeline.tag else "heads"
    found = core.repositories.open(project.id).current([f"refs/{kind}/{pipeline.ref}"])
    return next((ref.commit for ref in found if ref.commit), None) or pipeline.sha


def _cancel(core: Core, pipeline_id: int, newer_id: int) -> bool:
    """Whether anything of the pipeline was canceled. Its children go the way of the topmost pipeline."""
    try:
        with write(core.session):
            pipeline = lock_pipeline(core, pipeline_id)
            family = [pipeline, *hold_children(core, pipeline)]
            if all(one.status not in GOING_ON for one in family):
                return False
            # First the jobs are held, so that none starts behind the question whether one has.
            jobs = {one: hold_cancelable(core, one) for one in family}
            if pipeline.auto_cancel_on_new_commit == "conservative":
                if _has_begun_for_good(core, family):
                    return False
                cancel_pipelines(core, family)
            else:
                jobs = {one: _cancel_interruptible(core, one, held) for one, held in jobs.items()}
            for one, canceled in jobs.items():
                if canceled:
                    one.auto_canceled_by_id = newer_id
            return any(jobs.values())
    except NotFound:  # deleted meanwhile
        return False


def _cancel_interruptible(core: Core, pipeline: Pipeline, held: Iterable[Job]) -> list[Job]:
    """Cancel what may be interrupted of the `held` jobs of `pipeline`; return it."""
    jobs = [job for job in held if job.interruptible]
    for job in jobs:
        cancel_held(core, job)
    advance(core, pipeline)
    return jobs


def _has_begun_for_good(core: Core, family: Iterable[Pipeline]) -> bool:
    """Whether a job has started that must not be interrupted. A trigger job itself does nothing that could be."""
    begun = select(Job.id).where(
        Job.pipeline_id.in_([pipeline.id for pipeline in family]),
        Job.status.in_(status.STARTED),
        Job.interruptible.is_(False),
        Job.bridge.is_(False),
    )
    return core.session.scalar(begun.limit(1)) is not None
