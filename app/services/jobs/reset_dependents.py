"""Jobs that were skipped because of one that now runs after all get another chance."""

from sqlalchemy import select

from app.domain import status
from app.domain.processing import dependents_to_reset
from app.models import Job
from app.services.core import Core
from app.services.jobs.queue import update_jobs
from app.services.pipelines.advance_pipeline import job_states


def reset_dependents(core: Core, job: Job, user_id: int | None) -> None:
    """*In a write*, with the pipeline held: the skipped jobs that wait for `job` are created again (C.3).

    They run for whoever started `job`. None: nobody in particular, and they stay whose they were.
    """
    skipped = select(Job.id).where(
        Job.pipeline_id == job.pipeline_id, Job.retried.is_(False), Job.status == status.SKIPPED
    )
    if core.session.scalar(skipped.limit(1)) is None:
        return  # the usual case: who waits for the job need not wait for a look at all others
    states = job_states(core, job.pipeline_id)
    reset = dependents_to_reset(job.id, states.values())
    if reset:
        columns = {"status": status.CREATED, "updated_at": core.now()} | ({"user_id": user_id} if user_id else {})
        update_jobs(core, [{"id": found, **columns} for found in reset])
