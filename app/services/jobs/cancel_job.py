"""Stop one job."""

from app.domain.permissions import Action
from app.models import Job, User, write
from app.services import access
from app.services.core import Core
from app.services.jobs.finish_job import cancel_held
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
