"""Why a job is as it is, in a few words: for a card or a row among many, where its page has a whole sentence."""

from app.domain.failure import SCRIPT_FAILURE, explain
from app.domain.status import COMPLETED
from app.models import Job
from app.services.pipelines.show_pipeline import PipelineView

_NAMES_SHOWN = 3


def job_reason(job: Job, view: PipelineView) -> str:
    """Why `job`, one of `view`, waits, was skipped or has failed; empty where its status says all. Plain text."""
    if job.status == "failed":
        return _failure(job)
    if job.status == "skipped":
        return "skipped, because a job before it did not pass"
    waiting = view.held_up.get(job.id) or (job.waiting_reason if job.status not in COMPLETED else None)
    if waiting:
        return waiting
    return _waits_for(job, view) if job.status == "created" else ""


def _failure(job: Job) -> str:
    if job.failure_reason == SCRIPT_FAILURE and job.exit_code is not None:
        return f"failed with exit code {job.exit_code}"
    return explain(job.failure_reason).sentence


def _waits_for(job: Job, view: PipelineView) -> str:
    needed = None if job.needs is None else {need["job"] for need in job.needs}
    names = [
        other.name
        for other in view.jobs
        if other.status not in COMPLETED
        and (other.stage_index < job.stage_index if needed is None else other.name in needed)
    ]
    if not names:
        return ""
    more = len(names) - _NAMES_SHOWN
    return f"waits for {', '.join(names[:_NAMES_SHOWN])}" + (f" and {more} more" if more > 0 else "")
