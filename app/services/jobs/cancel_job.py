"""Stop one job."""

from app.domain import status
from app.domain.permissions import Action
from app.models import Job, User, write
from app.services import access
from app.services.core import Core
from app.services.jobs.finish_job import close
from app.services.jobs.queue import announce_job
from app.services.locks import lock_job
from app.services.pipelines.advance_pipeline import advance


def cancel_job(core: Core, job: Job, user: User | None, force: bool = False) -> Job:
    """Cancel `job`, or do nothing where it has ended (gitlab.md B.1): return it as it is afterwards.

    A running job whose runner can stop gracefully becomes canceling, any other one canceled at once. `force` ends a
    canceling job without waiting for its runner. Raises NotAllowed, NotFound.
    """
    access.require(core, Action.FORCE_CANCEL_JOB if force else Action.UPDATE_JOB, user, job.project)
    job_id = job.id
    with write(core.session):
        held = lock_job(core, job_id)
        if cancel_held(core, held, force):
            advance(core, held.pipeline)
    return core.session.get_one(Job, job_id)


def cancel_held(core: Core, job: Job, force: bool = False) -> bool:
    """*In a write*, with `job` held: whether anything changed. The caller advances the pipeline."""
    if job.status in status.CANCELABLE and not (job.status == status.RUNNING and stops_gracefully(job)):
        close(core, job, status.CANCELED)
        return True
    if job.status == status.RUNNING:
        job.status, job.updated_at = status.CANCELING, core.now()
        announce_job(core, job)
        return True
    if force and job.status == status.CANCELING:
        close(core, job, status.CANCELED)
        return True
    return False


def stops_gracefully(job: Job) -> bool:
    """Whether the job's runner said that it ends a canceled job by itself (gitlab.md A.5, "Cancel signalling")."""
    manager = job.runner_manager
    return manager is not None and manager.features.get("cancel_gracefully") is True
