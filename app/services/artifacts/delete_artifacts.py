"""Delete a job's artifacts; its log stays, and the variables that it handed on."""

from app.domain.permissions import Action
from app.models import Job, User, write
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
        held = lock_job_alone(core, job_id)
        remove_artifacts(core, held.artifacts)
        forget_tests(core, job_id)
        held.artifacts_expire_at = None
        held.updated_at = core.now()
