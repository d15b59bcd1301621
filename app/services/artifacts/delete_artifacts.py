"""Delete a job's artifacts; its log stays, and the variables that it handed on."""

from sqlalchemy import select

from app.domain import status
from app.domain.permissions import Action
from app.models import Artifact, Job, Project, User, write
from app.services import access
from app.services.artifacts.remove_artifacts import remove_artifacts
from app.services.core import Core
from app.services.locks import lock_job_alone
from app.services.reports.read_report import forget_tests


def delete_artifacts(core: Core, job: Job, user: User | None) -> None:
    """Remove every artifact of `job`. Raises NotAllowed, NotFound."""
    access.require(core, Action.ERASE_ANY_JOB, user, job.project)
    job_id = job.id
    with write(core.session):
        _delete(core, job_id)


def delete_project_artifacts(core: Core, project: Project, user: User | None) -> None:
    """Remove the artifacts of all jobs of `project` that have ended, each job's by itself. Raises NotAllowed."""
    access.require(core, Action.ERASE_ANY_JOB, user, project)
    with_some = select(Artifact.job_id).where(Artifact.project_id == project.id)
    ended = select(Job.id).where(Job.id.in_(with_some), Job.status.in_(status.COMPLETED)).order_by(Job.id)
    for job_id in core.session.scalars(ended).all():
        with write(core.session):
            _delete(core, job_id)


def _delete(core: Core, job_id: int) -> None:
    held = lock_job_alone(core, job_id)
    remove_artifacts(core, held.artifacts)
    forget_tests(core, job_id)
    held.artifacts_expire_at = None
    held.updated_at = core.now()
