"""Stop one job."""

from app.domain.permissions import Action
from app.models import Job, User, write
from app.services import access
from app.services.core import Core
from app.services.jobs.finish_job import cancel_held
from app.services.locks import lock_job, lock_pipeline
from app.services.pipelines.advance_pipeline import advance
from app.services.pipelines.cancel_pipeline import cancel_pipelines
from app.services.pipelines.pipeline_links import hold_children_of


def cancel_job(core: Core, job: Job, user: User | None, force: bool = False) -> Job:
    """Cancel `job`, or do nothing where it has ended (gitlab.md B.1): return it as it is afterwards.

    A running job whose runner can stop gracefully becomes canceling, any other one canceled at once. `force` ends a
    canceling job without waiting for its runner. The child pipeline that a trigger job still waits for ends with it.
    Raises NotAllowed, NotFound.
    """
    access.require(core, Action.FORCE_CANCEL_JOB if force else Action.UPDATE_JOB, user, job.project)
    job_id = job.id
    with write(core.session):
        lock_pipeline(core, job.pipeline_id)
        children = hold_children_of(core, job_id) if job.bridge else []
        held = lock_job(core, job_id)
        if cancel_held(core, held, force):
            advance(core, held.pipeline)
            cancel_pipelines(core, children)
    return core.session.get_one(Job, job_id)
