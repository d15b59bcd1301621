"""Remove what a job left behind: its log and its artifacts."""

from app.domain import status
from app.domain.audit import Act
from app.domain.errors import NotErasable
from app.domain.permissions import Action
from app.models import Job, User, after_commit, write
from app.services import access
from app.services.artifacts.remove_artifacts import remove_artifacts
from app.services.audit.record import record
from app.services.core import Core
from app.services.locks import lock_job_alone
from app.services.reports.read_report import forget_reports


def erasable(job: Job) -> bool:
    """Whether the job has ended and there is something of it to erase (gitlab.md B.1)."""
    return job.status in status.COMPLETED and bool(job.trace_size or job.artifacts)


def erase_job(core: Core, job: Job, user: User | None) -> Job:
    """Erase log, artifacts and report rows of `job`; return it. Raises NotErasable, NotAllowed, NotFound.

    Developers may erase jobs that they started, maintainers any.
    """
    own = user is not None and job.user_id == user.id
    access.require(core, Action.ERASE_JOB if own else Action.ERASE_ANY_JOB, user, job.project)
    job_id = job.id
    with write(core.session):
        held = lock_job_alone(core, job_id)
        if not erasable(held):
            raise NotErasable("Job is not erasable!")
        remove_artifacts(core, held.artifacts)
        forget_reports(core, job_id)
        held.artifacts_expire_at = None
        held.trace_size = held.trace_crc = 0
        held.erased_at = held.updated_at = core.now()
        record(core, Act.JOB_ERASED, f"{held.name} (#{job_id})", place=held.project)
        after_commit(core.session, lambda: core.traces.remove(job_id))
    return core.session.get_one(Job, job_id)
