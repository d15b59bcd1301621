"""Deployments: made with their jobs, and moved as these move."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from app.domain import environments, failure, status
from app.domain.delivery import EnvironmentSpec
from app.domain.errors import NotFound
from app.models import Deployment, Environment, Job, Pipeline, Project
from app.services.core import Core
from app.services.environments.job_environment import by_name, name_of, spec_of
from app.services.jobs import list_jobs

#: Whatever a deployment is shown with.
LOADED = (
    joinedload(Deployment.environment),
    joinedload(Deployment.user),
    joinedload(Deployment.job).options(*cast(tuple[Any, ...], list_jobs.LOADED)),
)
STATUSES = ("created", "running", "success", "failed", "canceled", "skipped", "blocked")
#: What a deployment is while its job has one of these statuses; any other: created.
_FOLLOWS: Mapping[str, str] = {
    status.RUNNING: "running",
    status.CANCELING: "running",
    status.SUCCESS: "success",
    status.FAILED: "failed",
    status.CANCELED: "canceled",
    status.SKIPPED: "skipped",
}


def add_deployments(core: Core, pipeline: Pipeline, jobs: Iterable[Job]) -> None:
    """*In a write*, with the pipeline held: the environments that new jobs name, and a deployment for each that starts
    one. A job whose environment cannot be has failed from the beginning.
    """
    for job in jobs:
        spec = spec_of(job)
        if spec is None:
            continue
        name = name_of(pipeline, spec)
        if not environments.is_valid_name(name):
            _refuse(core, job, name)
            continue
        environment = _ensure(core, pipeline, name, spec)
        if spec.action == "start":
            core.session.add(_deployment(core, pipeline, job, environment, spec))


def follow_jobs(core: Core, pipeline_id: int) -> None:
    """*In a write*, with the pipeline held: every deployment of the pipeline is what its job is."""
    rows = core.session.execute(
        select(Deployment, Job.status)
        .join(Job, Job.id == Deployment.job_id)
        .where(Deployment.pipeline_id == pipeline_id)
    ).all()
    for deployment, job_status in rows:
        follow(core, deployment, job_status)


def follow(core: Core, deployment: Deployment, job_status: str) -> None:
    """*In a write*: set the status that belongs to the job's."""
    new = _FOLLOWS.get(job_status, "created")
    if new != deployment.status:
        now = core.now()
        deployment.status, deployment.updated_at = new, now
        deployment.finished_at = now if job_status in status.COMPLETED else None


def last_deployment(core: Core, environment: Environment) -> Deployment | None:
    """The newest deployment to `environment` that succeeded."""
    return core.session.scalar(
        select(Deployment)
        .where(Deployment.environment_id == environment.id, Deployment.status == "success")
        .order_by(Deployment.id.desc())
        .limit(1)
    )


def last_deployments(core: Core, ids: Iterable[int]) -> dict[int, Deployment]:
    """The newest successful deployment of each of these environments that has one, loaded to be shown."""
    wanted = list(ids)
    newest = (
        select(Deployment.id)
        .where(Deployment.environment_id.in_(wanted), Deployment.status == "success")
        .order_by(Deployment.environment_id, Deployment.id.desc())
    )
    found: dict[int, int] = {}
    for row in core.session.execute(newest.with_only_columns(Deployment.environment_id, Deployment.id)):
        found.setdefault(row[0], row[1])
    rows = core.session.scalars(select(Deployment).where(Deployment.id.in_(found.values())).options(*LOADED))
    return {row.environment_id: row for row in rows.unique()}


def project_deployments(
    project: Project, *, environment: str | None = None, status: str | None = None
) -> Select[Deployment]:
    """The deployments of `project`: all, those to the environment of a name, those with a status."""
    query = select(Deployment).where(Deployment.project_id == project.id)
    if environment is not None:
        query = query.join(Environment, Environment.id == Deployment.environment_id)
        query = query.where(Environment.name == environment)
    return query if status is None else query.where(Deployment.status == status)


def find_deployment(core: Core, project: Project, deployment_id: int) -> Deployment:
    """Raises NotFound."""
    found = core.session.get(Deployment, deployment_id)
    if found is None or found.project_id != project.id:
        raise NotFound("")
    return found


def _ensure(core: Core, pipeline: Pipeline, name: str, spec: EnvironmentSpec) -> Environment:
    """The environment of that name, made where there is none yet."""
    known = by_name(core, pipeline.project_id, name)
    if known is not None:
        return known
    now = core.now()
    made = Environment(
        project_id=pipeline.project_id,
        name=name,
        slug=environments.slug(name),
        # What has never been deployed to can still be stopped: GitLab makes it available at once too.
        state=environments.AVAILABLE,
        tier=spec.deployment_tier or environments.guess_tier(name),
        created_at=now,
        updated_at=now,
    )
    try:
        with core.session.begin_nested():
            core.session.add(made)
    except IntegrityError:  # another pipeline of the project was faster
        other = by_name(core, pipeline.project_id, name)
        if other is None:
            raise
        return other
    return made


def _deployment(
    core: Core, pipeline: Pipeline, job: Job, environment: Environment, spec: EnvironmentSpec
) -> Deployment:
    now = core.now()
    return Deployment(
        project_id=pipeline.project_id,
        environment_id=environment.id,
        pipeline_id=pipeline.id,
        job_id=job.id,
        user_id=job.user_id,
        ref=pipeline.ref,
        tag=pipeline.tag,
        sha=pipeline.sha,
        status="created",
        on_stop=spec.on_stop,
        created_at=now,
        updated_at=now,
    )


def _refuse(core: Core, job: Job, name: str) -> None:
    now = core.now()
    shown = name[: environments.MOST_CHARACTERS]
    job.status, job.failure_reason = status.FAILED, failure.ENVIRONMENT_CREATION_FAILURE
    job.failure_message = f"The environment {shown!r} cannot be: its name {environments.NAME_RULE}."
    job.finished_at = job.updated_at = now
