"""Jobs that were skipped because of one that now runs after all get another chance."""

from app.domain import status
from app.domain.processing import dependents_to_reset
from app.models import Job
from app.services.core import Core
from app.services.jobs.queue import update_jobs
from app.services.pipelines.advance_pipeline import job_states


def reset_dependents(core: Core, job: Job) -> None:
    """*In a write*, with the pipeline held: the skipped jobs that wait for `job` are created again (C.3)."""
    states = job_states(core, job.pipeline_id)
    reset = dependents_to_reset(job.id, states.values())
    if reset:
        now = core.now()
        update_jobs(core, [{"id": found, "status": status.CREATED, "updated_at": now} for found in reset])
