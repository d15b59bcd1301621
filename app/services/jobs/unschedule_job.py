"""Take a delayed job off the clock."""

from app.domain import status
from app.domain.errors import NotPlayable
from app.domain.permissions import Action
from app.models import Job, User, write
from app.services import access
from app.services.core import Core
from app.services.jobs.queue import announce_job
from app.services.locks import lock_job
from app.services.pipelines.advance_pipeline import advance, assign_later
from app.services.repositories.ref_access import require_ref


def unschedule_job(core: Core, job: Job, user: User | None) -> Job:
    """Let the delayed `job` wait for somebody to start it, not for its time. Raises NotPlayable where it is not
    scheduled, NotAllowed, NotFound.
    """
    access.require(core, Action.UPDATE_JOB, user, job.project)
    require_ref(core, user, job.pipeline)
    job_id = job.id
    with write(core.session):
        held = lock_job(core, job_id)
        # A trigger job that shows its pipeline's status waits for no time of its own.
        if held.status != status.SCHEDULED or (held.bridge and held.started_at is not None):
            raise NotPlayable("Job is not scheduled")
        held.status, held.scheduled_at, held.updated_at = status.MANUAL, None, core.now()
        announce_job(core, held)
        assign_later(core, [held.resource_group_id])  # it may have been its turn
        advance(core, held.pipeline)
    return core.session.get_one(Job, job_id)
