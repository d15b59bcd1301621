"""Which pipelines were started by which: upwards, downwards, and whole families."""

from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from app.models import Job, Pipeline, PipelineLink
from app.services.core import Core
from app.services.locks import lock_pipeline

#: Sources of pipelines that a job of another pipeline started.
STARTED_BY_JOBS = frozenset({"pipeline", "parent_pipeline"})


def note_status(core: Core, pipeline: Pipeline) -> None:
    """*In a write*, with `pipeline` held: the job that started it will be told of its status (`mirror_downstream`)."""
    if pipeline.source in STARTED_BY_JOBS:
        core.session.execute(
            update(PipelineLink)
            .where(PipelineLink.pipeline_id == pipeline.id, PipelineLink.strategy != "")
            .values(status=pipeline.status)
            .execution_options(synchronize_session=False)
        )


def link_of(core: Core, pipeline_id: int) -> PipelineLink | None:
    """What started the pipeline, None where no job did."""
    return core.session.get(PipelineLink, pipeline_id, populate_existing=True)


def upstreams(core: Core, pipeline: Pipeline, *, parents_only: bool = False) -> list[Pipeline]:
    """The pipelines that led to `pipeline`, the nearest first. `parents_only`: as far as it is a child of them."""
    found: list[Pipeline] = []
    link = link_of(core, pipeline.id)
    while link is not None and (link.child or not parents_only):
        found.append(link.source_pipeline)
        link = link_of(core, link.source_pipeline_id)
    return found


def child_ids(core: Core, pipeline_ids: Iterable[int]) -> list[int]:
    """The children of these pipelines, their children and so on, in the order of ids, without themselves."""
    return sorted(_below(core, pipeline_ids, children_only=True, most=None))


def hold_children(core: Core, pipeline: Pipeline) -> list[Pipeline]:
    """*In a write*, with `pipeline` held: its child pipelines and theirs, held too, before anything moves: the queue's
    counter comes last (`locks`).
    """
    return [lock_pipeline(core, child) for child in child_ids(core, [pipeline.id])]


def hold_children_of(core: Core, job_id: int) -> list[Pipeline]:
    """*In a write*, with the pipeline of the trigger job `job_id` held: the child pipelines that it started and
    theirs, held too.
    """
    started = core.session.scalars(
        select(PipelineLink.pipeline_id).where(PipelineLink.source_job_id == job_id, PipelineLink.child.is_(True))
    ).all()
    return [lock_pipeline(core, child) for child in sorted({*started, *child_ids(core, started)})]


def family_ids(core: Core, pipeline: Pipeline) -> set[int]:
    """`pipeline`, its parents, and everything that is a child of the topmost of them."""
    top = ([pipeline, *upstreams(core, pipeline, parents_only=True)])[-1].id
    return {top, *_below(core, [top], children_only=True, most=None)}


def hierarchy_size(core: Core, pipeline: Pipeline, most: int) -> int:
    """How many pipelines hang together with `pipeline`, in all projects; counted until there are `most`."""
    top = ([pipeline, *upstreams(core, pipeline)])[-1].id
    return 1 + len(_below(core, [top], children_only=False, most=most))


def _below(core: Core, pipeline_ids: Iterable[int], *, children_only: bool, most: int | None) -> set[int]:
    known: set[int] = set()
    fresh = set(pipeline_ids)
    while fresh and (most is None or len(known) < most):
        query = select(PipelineLink.pipeline_id).where(PipelineLink.source_pipeline_id.in_(fresh))
        if children_only:
            query = query.where(PipelineLink.child.is_(True))
        fresh = set(core.session.scalars(query)) - known
        known |= fresh
    return known


def downstream_of_jobs(core: Core, job_ids: Iterable[int]) -> dict[int, Pipeline]:
    """The newest pipeline that each of these jobs started, by the job's id."""
    ids = list(job_ids)
    if not ids:
        return {}
    rows = core.session.execute(
        select(PipelineLink.source_job_id, Pipeline)
        .join(Pipeline, Pipeline.id == PipelineLink.pipeline_id)
        .where(PipelineLink.source_job_id.in_(ids))
        .options(joinedload(Pipeline.project))
        .order_by(Pipeline.id)
    )
    return {row[0]: row[1] for row in rows}


def source_job(core: Core, pipeline: Pipeline) -> Job | None:
    """The job that started `pipeline`, with its pipeline and project."""
    if pipeline.source not in STARTED_BY_JOBS:
        return None
    return core.session.scalar(
        select(Job)
        .join(PipelineLink, PipelineLink.source_job_id == Job.id)
        .where(PipelineLink.pipeline_id == pipeline.id)
        .options(joinedload(Job.pipeline), joinedload(Job.project))
    )
