"""Deployments that something outside reports, and deployments removed. Who may is asked before."""

from dataclasses import dataclass

from app.domain import environments
from app.domain.errors import InvalidRequest, NotAllowed
from app.git.history import find_commit
from app.models import Deployment, Environment, Project, User, write
from app.services.core import Core
from app.services.environments.deployments import find_deployment
from app.services.environments.find_environments import hold_environment
from app.services.environments.job_environment import by_name
from app.services.environments.save_environment import create_environment

#: What something outside may report. What has ended stays as it is.
REPORTED = ("created", "running", "success", "failed", "canceled")
ENDED = ("success", "failed", "canceled", "skipped")
LONGEST_REF = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was deployed where; the environment is made where there is none of that name."""

    environment: str
    sha: str
    ref: str
    tag: bool
    status: str = "success"


def create_deployment(core: Core, project: Project, user: User | None, report: Report) -> Deployment:
    """A deployment that no job of ours made. Raises InvalidRequest."""
    if len(report.ref) > LONGEST_REF:
        raise InvalidRequest(f"is too long (maximum is {LONGEST_REF} characters)", "ref")
    repository = core.repositories.open(project.id)
    sha = find_commit(repository, report.sha) if repository.exists else None
    if sha is None:
        raise InvalidRequest("The commit does not exist", "sha")
    project_id, user_id = project.id, user.id if user else None
    environment = by_name(core, project_id, report.environment)
    environment_id = (environment or create_environment(core, project, report.environment, {})).id
    with write(core.session):
        now = core.now()
        held = hold_environment(core, environment_id)
        made = Deployment(
            project_id=project_id,
            environment_id=environment_id,
            user_id=user_id,
            ref=report.ref,
            tag=report.tag,
            sha=sha,
            status="created",
            created_at=now,
            updated_at=now,
        )
        core.session.add(made)
        _move(core, held, made, report.status)
    return made


def change_deployment(core: Core, project: Project, deployment_id: int, status: str) -> Deployment:
    """Move a deployment that something outside reports. Raises NotFound, NotAllowed (it is a job's), InvalidRequest."""
    environment_id = find_deployment(core, project, deployment_id).environment_id
    with write(core.session):
        held = hold_environment(core, environment_id)
        deployment = find_deployment(core, project, deployment_id)
        if deployment.job_id is not None:
            raise NotAllowed("the deployment follows its job")
        if deployment.status in ENDED and status != deployment.status:
            raise InvalidRequest(f"Cannot transition status from {deployment.status}", "status")
        _move(core, held, deployment, status)
    return deployment


def remove_deployment(core: Core, project: Project, deployment_id: int) -> None:
    """Remove a deployment that has ended. Raises NotFound, InvalidRequest while it runs."""
    with write(core.session):
        deployment = find_deployment(core, project, deployment_id)
        if deployment.status == "running":
            raise InvalidRequest("Cannot destroy running deployment")
        core.session.delete(deployment)


def _move(core: Core, environment: Environment, deployment: Deployment, status: str) -> None:
    now = core.now()
    deployment.status, deployment.updated_at = status, now
    deployment.finished_at = now if status in ENDED else None
    if status == "success":
        environment.state, environment.updated_at = environments.AVAILABLE, now
