"""The runs of definitions: which there are, and the jobs and steps that they are made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import joinedload, selectinload, undefer

from app.domain import status
from app.models import Job, Pipeline, PipelineDefinition
from app.services.core import Core

#: What counts as a run that has ended. A pipeline that was only noted (skipped) never ran.
ENDED = (status.SUCCESS, status.FAILED, status.CANCELED)


@dataclass(slots=True)
class Summary:
    """What a list shows of a definition's runs: the newest by its end, and the last ends by status."""

    newest: Pipeline | None = None
    last_success: datetime | None = None
    last_failure: datetime | None = None
    jobs: list[Job] = field(default_factory=list)


def of_definition(definition: PipelineDefinition) -> ColumnElement[bool]:
    """The condition that a pipeline is a run of `definition`. What names none ran the project's default one."""
    named: ColumnElement[bool] = Pipeline.definition_id == definition.id
    if not definition.is_default:
        return named
    return or_(named, and_(Pipeline.definition_id.is_(None), Pipeline.project_id == definition.project_id))


def find_run(core: Core, definition: PipelineDefinition, pipeline_id: int) -> Pipeline | None:
    return core.session.scalar(select(Pipeline).where(of_definition(definition), Pipeline.id == pipeline_id))


def last_run(core: Core, definition: PipelineDefinition) -> Pipeline | None:
    """The run that was started last."""
    query = select(Pipeline).where(of_definition(definition), Pipeline.status != status.SKIPPED)
    return core.session.scalar(query.order_by(Pipeline.id.desc()).limit(1))


def ended_runs(core: Core, definition: PipelineDefinition, count: int) -> Sequence[Pipeline]:
    """The newest runs that have ended, the last to end first."""
    query = select(Pipeline).where(of_definition(definition), Pipeline.status.in_(ENDED))
    return core.session.scalars(query.order_by(Pipeline.finished_at.desc(), Pipeline.id.desc()).limit(count)).all()


def is_running(core: Core, definition: PipelineDefinition) -> bool:
    """Whether a run has not ended."""
    alive = select(Pipeline.id).where(of_definition(definition), Pipeline.status.in_(status.ALIVE))
    return core.session.scalar(alive.limit(1)) is not None


def jobs_of(core: Core, pipelines: Iterable[Pipeline]) -> dict[int, list[Job]]:
    """The latest attempt of each job with its steps, by pipeline, in the order of stage and job."""
    ids = [pipeline.id for pipeline in pipelines]
    query = select(Job).where(Job.pipeline_id.in_(ids), Job.retried.is_(False)).order_by(Job.stage_index, Job.id)
    loaded = query.options(selectinload(Job.steps), selectinload(Job.artifacts), undefer(Job.plan))
    found: dict[int, list[Job]] = {pipeline_id: [] for pipeline_id in ids}
    for job in core.session.scalars(loaded.options(joinedload(Job.project))):
        found[job.pipeline_id].append(job)
    return found


def summaries(core: Core, definitions: Sequence[PipelineDefinition], failures: Sequence[str]) -> dict[int, Summary]:
    """By definition. A failed run counts as a failure when one of its jobs failed for a reason in `failures`, or its
    configuration was wrong; the others broke.
    """
    found = {definition.id: Summary() for definition in definitions}
    defaults = {definition.project_id: definition.id for definition in definitions if definition.is_default}
    projects = {definition.project_id for definition in definitions}
    for pipeline in core.session.scalars(_newest(projects)):
        key = _definition_of(pipeline.definition_id, pipeline.project_id, defaults)
        summary = found.get(key)
        if summary and (summary.newest is None or _ended(pipeline) > _ended(summary.newest)):
            summary.newest = pipeline
    for column, condition in (("last_success", Pipeline.status == status.SUCCESS), ("last_failure", _failed(failures))):
        for definition_id, project_id, ended in core.session.execute(_last(projects, condition)):
            summary = found.get(_definition_of(definition_id, project_id, defaults))
            if summary and ended and ended > (getattr(summary, column) or ended.min.replace(tzinfo=ended.tzinfo)):
                setattr(summary, column, ended)
    jobs = jobs_of(core, [summary.newest for summary in found.values() if summary.newest])
    for summary in found.values():
        summary.jobs = jobs[summary.newest.id] if summary.newest else []
    return found


def _definition_of(definition_id: int | None, project_id: int, defaults: dict[int, int]) -> int:
    return definition_id if definition_id is not None else defaults.get(project_id, 0)


def _ended(pipeline: Pipeline) -> datetime:
    return pipeline.finished_at or pipeline.created_at


def _newest(projects: Iterable[int]) -> Select[Pipeline]:
    place = func.row_number().over(
        partition_by=(Pipeline.project_id, Pipeline.definition_id),
        order_by=(Pipeline.finished_at.desc(), Pipeline.id.desc()),
    )
    numbered = (
        select(Pipeline.id, place.label("place"))
        .where(Pipeline.project_id.in_(projects), Pipeline.status.in_(ENDED))
        .subquery()
    )
    return select(Pipeline).join(numbered, numbered.c.id == Pipeline.id).where(numbered.c.place == 1)


def _last(projects: Iterable[int], condition: ColumnElement[bool]) -> Select[int | None, int, datetime | None]:
    return (
        select(Pipeline.definition_id, Pipeline.project_id, func.max(Pipeline.finished_at))
        .where(Pipeline.project_id.in_(projects), condition)
        .group_by(Pipeline.definition_id, Pipeline.project_id)
    )


def _failed(failures: Sequence[str]) -> ColumnElement[bool]:
    job = select(Job.id).where(Job.pipeline_id == Pipeline.id, Job.retried.is_(False), Job.failure_reason.in_(failures))
    return and_(Pipeline.status == status.FAILED, or_(job.exists(), Pipeline.failure_reason == "config_error"))
