"""One job with what belongs to it, as people look at it."""

from dataclasses import dataclass
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from app.domain.errors import NotFound
from app.domain.status import COMPLETED
from app.models import Artifact, Job, JobStep, Project
from app.services.core import Core
from app.services.jobs.log_end import COLUMNS, LoggedJob
from app.services.jobs.resources import waiting_sentences


@dataclass(frozen=True, slots=True)
class JobView:
    """`attempts`: all tries of the job, oldest first. `waits_for`: names of jobs before it that have not ended.

    `held_up`: why it waits for the resource of its group, where it does.
    `neighbours`: the latest try of every job of the pipeline, in the order of the stages.
    """

    job: Job
    attempts: list[Job]
    steps: list[JobStep]
    artifacts: list[Artifact]
    waits_for: list[str]
    neighbours: list[Job]
    held_up: str | None = None


def find_job(core: Core, project: Project, job_id: int) -> Job:
    """The job of that id in `project`. Raises NotFound."""
    options = [joinedload(Job.pipeline), joinedload(Job.user), joinedload(Job.runner), joinedload(Job.tag_set)]
    job = core.session.get(Job, job_id, options=options)
    if job is None or job.project_id != project.id:
        raise NotFound("Job")
    return job


def show_job(core: Core, project: Project, job_id: int) -> JobView:
    """The job and its surroundings. Raises NotFound."""
    job = find_job(core, project, job_id)
    query = select(Job).where(Job.pipeline_id == job.pipeline_id).order_by(Job.stage_index, Job.name, Job.id)
    siblings = list(core.session.scalars(query.options(selectinload(Job.runner))))
    return JobView(
        job=job,
        attempts=[other for other in siblings if other.name == job.name],
        steps=list(job.steps),
        artifacts=list(job.artifacts),
        waits_for=_waits_for(job, siblings) if job.status == "created" else [],
        neighbours=[other for other in siblings if not other.retried],
        held_up=waiting_sentences(core, [job]).get(job.id),
    )


def _waits_for(job: Job, siblings: list[Job]) -> list[str]:
    open_jobs = [other for other in siblings if not other.retried and other.status not in COMPLETED]
    if job.needs is None:
        return [other.name for other in open_jobs if other.stage_index < job.stage_index]
    needed = {need["job"] for need in job.needs}
    return [other.name for other in open_jobs if other.name in needed]


@dataclass(frozen=True, slots=True)
class JobState:
    """`version` differs whenever the job has changed; `log` is for `open_trace`."""

    version: str
    ended: bool
    log: LoggedJob


def job_state(core: Core, job_id: int) -> JobState | None:
    """How the job stands now; None when it is gone."""
    query = select(*COLUMNS, Job.updated_at).where(Job.id == job_id)
    row = core.session.execute(query).one_or_none()
    if row is None:
        return None
    return JobState(f"{row.status}-{row.updated_at:%Y%m%d%H%M%S%f}", row.status in COMPLETED, cast(LoggedJob, row))
