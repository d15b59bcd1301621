"""What ran: pipelines by project, definition, outcome and origin, and how far each has come."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.interfaces import ORMOption

from app.domain import status
from app.models import Job, JobStep, Pipeline, PipelineDefinition, Project, User
from app.services.core import Core

LOADED: tuple[ORMOption, ...] = (
    joinedload(Pipeline.project).joinedload(Project.group),
    joinedload(Pipeline.user),
    joinedload(Pipeline.definition),
)
#: A step that began; those that were canceled before are `skipped`.
REACHED = (status.RUNNING, status.SUCCESS, status.FAILED, status.CANCELED)
AFTERWARDS = "after_script"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What to look for; None does not matter. `begun`: whether a runner was heard of at a job of it.

    `ref` is a branch, or a tag where `tag` is set, or either where it is None. `sha` may be the beginning of one.
    """

    project_id: int
    definition: PipelineDefinition | None = None
    statuses: frozenset[str] | None = None
    begun: bool | None = None
    ref: str | None = None
    tag: bool | None = None
    sha: str | None = None
    source_id: int | None = None
    username: str | None = None
    oldest_first: bool = False


def pipelines(wanted: History) -> Select[Pipeline]:
    """The pipelines that are `wanted`, by age; children of others are parts of those."""
    own = (Pipeline.project_id == wanted.project_id, Pipeline.source != "parent_pipeline")
    query = select(Pipeline).where(*own, *_conditions(wanted)).options(*LOADED)
    return query.order_by(Pipeline.id.asc() if wanted.oldest_first else Pipeline.id.desc())


def _conditions(wanted: History) -> Iterable[ColumnElement[bool]]:
    if wanted.definition is not None:
        yield made_by(wanted.definition)
    if wanted.statuses is not None:
        yield Pipeline.status.in_(wanted.statuses)
    if wanted.begun is not None:
        begun = select(Job.id).where(Job.pipeline_id == Pipeline.id, Job.heard_at.is_not(None)).exists()
        yield begun if wanted.begun else ~begun
    for column, value in ((Pipeline.ref, wanted.ref), (Pipeline.source_pipeline_id, wanted.source_id)):
        if value is not None:
            yield column == value
    if wanted.tag is not None:
        yield Pipeline.tag.is_(wanted.tag)
    if wanted.sha is not None:
        yield Pipeline.sha.startswith(wanted.sha, autoescape=True)
    if wanted.username is not None:
        yield Pipeline.user_id.in_(select(User.id).where(func.lower(User.username) == wanted.username.lower()))


def made_by(definition: PipelineDefinition) -> ColumnElement[bool]:
    """Pipelines of `definition`. Those that name none are of their project's default one."""
    own = Pipeline.definition_id == definition.id
    return or_(own, Pipeline.definition_id.is_(None)) if definition.is_default else own


@dataclass(frozen=True, slots=True)
class Course:
    """How far a pipeline has come, retried jobs left out.

    `jobs`, how many `started` and how many `passed`; its `steps` and how many were `reached`, those after the script
    left out. `begun`: a runner was heard of at a job of it.
    """

    jobs: int = 0
    started: int = 0
    passed: int = 0
    steps: int = 0
    reached: int = 0
    begun: bool = False


def courses(core: Core, rows: Sequence[Pipeline]) -> dict[int, Course]:
    """The course of each pipeline, by its id, in two queries."""
    ids = [row.id for row in rows]
    steps = {
        row.pipeline_id: (row.steps, row.reached)
        for row in core.session.execute(
            select(Job.pipeline_id, func.count().label("steps"), _sum(JobStep.status.in_(REACHED)).label("reached"))
            .join(JobStep, JobStep.job_id == Job.id)
            .where(Job.pipeline_id.in_(ids), Job.retried.is_(False), JobStep.phase != AFTERWARDS)
            .group_by(Job.pipeline_id)
        )
    }
    current = Job.retried.is_(False)
    query = select(
        Job.pipeline_id,
        _sum(current).label("jobs"),
        _sum(and_(current, Job.started_at.is_not(None))).label("started"),
        _sum(and_(current, Job.status == status.SUCCESS)).label("passed"),
        _sum(Job.heard_at.is_not(None)).label("heard"),
    )
    found = {
        row.pipeline_id: Course(row.jobs, row.started, row.passed, *steps.get(row.pipeline_id, (0, 0)), row.heard > 0)
        for row in core.session.execute(query.where(Job.pipeline_id.in_(ids)).group_by(Job.pipeline_id))
    }
    return {pipeline_id: found.get(pipeline_id, Course()) for pipeline_id in ids}


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def last_steps(core: Core, rows: Sequence[Pipeline]) -> dict[int, str]:
    """The name of the last step that each pipeline has reached, by its id; none for one that has reached none."""
    place = func.row_number().over(
        partition_by=Job.pipeline_id, order_by=(Job.stage_index.desc(), Job.id.desc(), JobStep.position.desc())
    )
    ranked = (
        select(Job.pipeline_id, JobStep.name, place.label("place"))
        .join(JobStep, JobStep.job_id == Job.id)
        .where(
            Job.pipeline_id.in_([row.id for row in rows]),
            Job.retried.is_(False),
            JobStep.phase != AFTERWARDS,
            JobStep.status.in_(REACHED),
        )
        .subquery()
    )
    query = select(ranked.c.pipeline_id, ranked.c.name).where(ranked.c.place == 1)
    return {row.pipeline_id: row.name for row in core.session.execute(query)}


def reload(core: Core, pipeline: Pipeline) -> Pipeline:
    """`pipeline` as it is now, with what LOADED names."""
    query = select(Pipeline).where(Pipeline.id == pipeline.id).options(*LOADED)
    return core.session.scalars(query.execution_options(populate_existing=True)).unique().one()


def source_of(core: Core, pipeline: Pipeline) -> Pipeline | None:
    """The pipeline that `pipeline` was started from, in its project."""
    query = select(Pipeline).where(
        Pipeline.id == pipeline.source_pipeline_id, Pipeline.project_id == pipeline.project_id
    )
    return None if pipeline.source_pipeline_id is None else core.session.scalar(query.options(*LOADED))
