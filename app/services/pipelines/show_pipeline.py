"""One pipeline with its stages and jobs, as people look at it."""

from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, undefer

from app.domain.errors import NotFound
from app.domain.status import BLOCKED, composite
from app.models import Job, Pipeline, Project
from app.services.core import Core
from app.services.jobs.resources import waiting_sentences


@dataclass(frozen=True, slots=True)
class Stage:
    """A column: its jobs by name, the latest attempt of each."""

    name: str
    status: str
    jobs: list[Job]


@dataclass(frozen=True, slots=True)
class PipelineView:
    """`attempts` counts the tries of a job's name, where there were more than one.

    `held_up`: by their ids, why jobs wait for the resource of their group.
    """

    pipeline: Pipeline
    stages: list[Stage]
    attempts: dict[str, int]
    held_up: dict[int, str] = field(default_factory=dict)

    @property
    def jobs(self) -> list[Job]:
        return [job for stage in self.stages for job in stage.jobs]


def find_pipeline(core: Core, project: Project, pipeline_id: int) -> Pipeline:
    """The pipeline of that id in `project`. Raises NotFound."""
    pipeline = core.session.get(Pipeline, pipeline_id, options=[joinedload(Pipeline.user)])
    if pipeline is None or pipeline.project_id != project.id:
        raise NotFound("Pipeline")
    return pipeline


def show_pipeline(core: Core, project: Project, pipeline_id: int) -> PipelineView:
    """The pipeline, its jobs in the order of its stages. Raises NotFound."""
    pipeline = find_pipeline(core, project, pipeline_id)
    query = select(Job).where(Job.pipeline_id == pipeline.id).order_by(Job.stage_index, Job.name, Job.id)
    columns: dict[str, list[Job]] = {}
    attempts: dict[str, int] = {}
    for job in core.session.scalars(query.options(joinedload(Job.runner))):
        attempts[job.name] = attempts.get(job.name, 0) + 1
        if not job.retried:
            columns.setdefault(job.stage, []).append(job)
    _load_plans(core, [job for jobs in columns.values() for job in jobs if job.status in BLOCKED])
    stages = [
        Stage(name, composite((job.status, job.allow_failure) for job in jobs) or "created", jobs)
        for name, jobs in columns.items()
    ]
    held_up = waiting_sentences(core, [job for jobs in columns.values() for job in jobs])
    return PipelineView(pipeline, stages, {name: count for name, count in attempts.items() if count > 1}, held_up)


def _load_plans(core: Core, jobs: list[Job]) -> None:
    """The plans of `jobs` in one go: who starts one by hand may have to confirm what its plan says."""
    ids = [job.id for job in jobs]
    if ids:
        query = select(Job).where(Job.id.in_(ids)).options(undefer(Job.plan))
        core.session.scalars(query.execution_options(populate_existing=True)).all()


def pipeline_version(core: Core, pipeline_id: int) -> str | None:
    """A text that differs whenever the pipeline or one of its jobs has changed; None when it is gone."""
    query = (
        select(Pipeline.status, Pipeline.updated_at, func.max(Job.updated_at), func.count(Job.id))
        .outerjoin(Job, Job.pipeline_id == Pipeline.id)
        .where(Pipeline.id == pipeline_id)
        .group_by(Pipeline.id)
    )
    row = core.session.execute(query).one_or_none()
    return None if row is None else f"{row[0]}-{_stamp(row[1])}-{_stamp(row[2])}-{row[3]}"


def _stamp(moment: object) -> str:
    """A time as text that fits into a URL; the aggregate of SQLite comes back without its zone."""
    return "".join(character for character in str(moment).split("+")[0] if character.isdigit())
