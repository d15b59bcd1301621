"""Which jobs there are: of a project, of a pipeline, of a runner. Each is a select, for an edge to page through."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from app.domain.errors import NotFound
from app.models import Job, Pipeline, Project, Runner, RunnerManager
from app.services.core import Core

#: Whatever a job is shown with, loaded in two queries however many jobs there are.
LOADED: tuple[ORMOption, ...] = (
    joinedload(Job.pipeline),
    joinedload(Job.project),
    joinedload(Job.user),
    joinedload(Job.runner).joinedload(Runner.creator),
    joinedload(Job.runner_manager),
    joinedload(Job.tag_set),
    selectinload(Job.artifacts),
)


def project_jobs(project: Project, statuses: Collection[str] = ()) -> Select[Job]:
    """The jobs of `project` that runners run, retried ones too, newest first. `statuses` empty: any."""
    # PostgreSQL may go through the newest jobs of all projects to find those of one: it begins at this one's newest.
    own = aliased(Job)
    newest = select(func.max(own.id)).where(own.project_id == project.id).scalar_subquery()
    return _of(Job.project_id == project.id, statuses).where(Job.bridge.is_(False), Job.id <= newest)


def pipeline_jobs(pipeline: Pipeline, statuses: Collection[str] = (), include_retried: bool = False) -> Select[Job]:
    """The jobs of `pipeline` that runners run, newest first, by default only the last of those that were retried."""
    query = _of(Job.pipeline_id == pipeline.id, statuses).where(Job.bridge.is_(False))
    return query if include_retried else query.where(Job.retried.is_(False))


def runner_jobs(runner: Runner, statuses: Collection[str] = (), system_id: str | None = None) -> Select[Job]:
    """The jobs that `runner` took, newest first; `system_id`: only those of that one of its managers."""
    query = _of(Job.runner_id == runner.id, statuses)
    if system_id is None:
        return query
    managers = select(RunnerManager.id).where(
        RunnerManager.runner_id == runner.id, RunnerManager.system_id == system_id
    )
    return query.where(Job.runner_manager_id.in_(managers))


def trigger_jobs(pipeline: Pipeline, statuses: Collection[str] = ()) -> Select[Job]:
    """The jobs of `pipeline` that start other pipelines, newest first, the last of those that were retried."""
    query = _of(Job.pipeline_id == pipeline.id, statuses)
    return query.where(Job.bridge.is_(True), Job.retried.is_(False))


def find_job(core: Core, project: Project, job_id: int, *, bridges: bool = False) -> Job:
    """The job of that id in `project`, loaded to be shown; a trigger job only where `bridges`. Raises NotFound."""
    job = core.session.scalar(
        select(Job)
        .where(Job.id == job_id, Job.project_id == project.id)
        .options(*LOADED)
        .execution_options(populate_existing=True)
    )
    if job is None or (job.bridge and not bridges):
        raise NotFound("Job")
    return job


def _of(owner: Any, statuses: Collection[str]) -> Select[Job]:
    query = select(Job).where(owner).order_by(Job.id.desc()).options(*LOADED)
    return query.where(Job.status.in_(statuses)) if statuses else query
