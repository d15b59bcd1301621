"""Runs and runners as this API shows them (seed 001; layerci.md B.1)."""

from datetime import UTC, datetime
from typing import Any

from app.api.layerci_v1.ids import uuid_of
from app.domain import calculated_status as calculated
from app.domain import status
from app.models import Pipeline
from app.services.core import Core
from app.services.runs.run_jobs import Attempt

#: `status` and `calculated_status` of a run.
STATUSES = {
    calculated.NEW: ("NEW", "NEW"),
    calculated.BAD_CONFIGURATION: ("ERROR", "BAD_LAYERFILE"),
    calculated.JOB_ERROR: ("ERROR", "JOB_ERROR"),
    calculated.STARTING: ("STARTING_RUNNERS", "STARTING_RUNNERS"),
    calculated.RUNNING: ("SEE_RUNNERS", "RUNNING"),
    calculated.FAILURE: ("SEE_RUNNERS", "FAILURE"),
    calculated.RUNNER_ERROR: ("SEE_RUNNERS", "RUNNER_ERROR"),
    calculated.CANCELED: ("SEE_RUNNERS", "RUNNER_CANCELLED"),
    calculated.SUCCEEDED: ("SEE_RUNNERS", "SUCCEEDED"),
}
#: What a runner of ours waits for does not matter here: parents, a person, its time.
RUNNER_STATUSES = dict.fromkeys(status.AVAILABLE, "WAITING_PARENTS") | {
    status.PENDING: "NEW",
    status.RUNNING: "RUNNING",
    status.SUCCESS: "SUCCESS",
    status.SKIPPED: "SUCCESS",
    status.FAILED: "FAILURE",
    status.CANCELING: "CANCELLED",
    status.CANCELED: "CANCELLED",
}
_REASONS = {
    "api": "Manual run created by API",
    "push": "Commits were pushed",
    "web": "Manual run created in the dashboard",
    "schedule": "Run created by a schedule",
}


def go_time(time: datetime) -> str:
    """`2020-05-05 05:11:44.17955 +0000 UTC`: as Go prints a time, without zeros at the fraction's end."""
    time = time.astimezone(UTC)
    fraction = f".{time.microsecond:06}".rstrip("0").rstrip(".")
    return f"{time:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


def run(row: Pipeline, *, with_uuid: bool) -> dict[str, Any]:
    """A run, which this API calls a job."""
    internal, calculated_status = STATUSES[row.calculated_status]
    found = {
        "repository_name": row.project.path,
        "id": row.iid,
        "status": internal,
        "status_change_time": go_time(row.calculated_status_at or row.created_at),
        "calculated_status": calculated_status,
        "commit_sha": row.sha,
        "branch": row.ref,
        "merge_branch": row.ref,
        "run_start_reason": _REASONS.get(row.source, f"Run created by {row.source}"),
        "run_start_reason_url": "",
    }
    return found | {"uuid": str(uuid_of(row.id, row.created_at))} if with_uuid else found


def run_url(core: Core, row: Pipeline) -> str:
    """The page of a run."""
    return f"{core.config.external_url}/{row.project.full_path}/-/pipelines/{row.id}"


def runner(attempt: Attempt, config_path: str) -> dict[str, Any]:
    """One attempt at a job, which this API calls a runner."""
    return {
        "id": attempt.name if attempt.number == 1 else f"{attempt.name}-{attempt.number}",
        "layerfile_relative_path": config_path,
        "status": _runner_status(attempt),
        "was_retried": attempt.retried,
        "runner_index": attempt.number,
    }


def _runner_status(attempt: Attempt) -> str:
    if attempt.status == status.RUNNING and attempt.heard_at is None:
        return "NEW"
    if attempt.status == status.FAILED and calculated.is_ours(attempt.failure_reason):
        return "ERROR"
    return RUNNER_STATUSES[attempt.status]
