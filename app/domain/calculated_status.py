"""One word for how a whole run stands, kept on its row: what LayerCI calls `calculated_status` (layerci.md B.1).

Beside `domain.status` it tells whose fault a failure was and whether a runner has begun, and it does not wait: one
failed job is a failure at once, while others still run. What may fail, or need not be started, holds nobody up here
either, so that a run has passed for every API or for none.
"""

from collections.abc import Iterable
from typing import NamedTuple

from app.domain import status
from app.domain.failure import UNKNOWN_FAILURE, Fault, explain

NEW = "new"
BAD_CONFIGURATION = "bad_configuration"
JOB_ERROR = "job_error"
STARTING = "starting"
RUNNING = "running"
FAILURE = "failure"
RUNNER_ERROR = "runner_error"
CANCELED = "canceled"
SUCCEEDED = "succeeded"

AVAILABLE = (NEW, BAD_CONFIGURATION, JOB_ERROR, STARTING, RUNNING, FAILURE, RUNNER_ERROR, CANCELED, SUCCEEDED)
FAILURES = (FAILURE, RUNNER_ERROR, JOB_ERROR, BAD_CONFIGURATION)
"""What a run that "has suffered a failure or error" can be."""

_OURS = frozenset({Fault.RUNNER, Fault.SERVER})


class Part(NamedTuple):
    """What counts of a job. `heard`: its runner was heard of since it took the job."""

    status: str
    allow_failure: bool = False
    failure_reason: str | None = None
    heard: bool = False


def is_ours(failure_reason: str | None) -> bool:
    """Whether a job with that reason failed by the runner's or the server's fault. Where nobody said, it did not."""
    return failure_reason not in (None, UNKNOWN_FAILURE) and explain(failure_reason).fault in _OURS


def without_jobs(pipeline_status: str, failure_reason: str | None) -> str:
    """What a run is that has no jobs: it was skipped, or it could not be made."""
    if pipeline_status == status.FAILED:
        return BAD_CONFIGURATION if failure_reason == "config_error" else JOB_ERROR
    return SUCCEEDED if pipeline_status in status.COMPLETED else NEW


def calculate(jobs: Iterable[Part]) -> str:
    """What a run with these jobs is; those that were retried are left out by the caller. NEW for no jobs."""
    parts = list(jobs)
    counted = [part for part in parts if status.seen_as(part.status, part.allow_failure) == part.status]
    if bad := _bad_end(counted):
        return bad
    if parts and all(part.status in status.COMPLETED for part in counted):
        return SUCCEEDED
    if any(_has_begun(part) for part in parts):
        return RUNNING
    waiting = {part.status for part in counted}
    if status.RUNNING in waiting:
        return STARTING
    # A run that waits for a person or its time, and for no runner, is under way.
    return NEW if status.PENDING in waiting or waiting <= {status.CREATED} else RUNNING


def _bad_end(counted: list[Part]) -> str | None:
    """The worst end among jobs that may not fail."""
    failed = [is_ours(part.failure_reason) for part in counted if part.status == status.FAILED]
    if failed:
        return RUNNER_ERROR if all(failed) else FAILURE
    return CANCELED if any(part.status in (status.CANCELED, status.CANCELING) for part in counted) else None


def _has_begun(part: Part) -> bool:
    if part.status in status.EXECUTING:
        return part.heard
    return part.status in (status.SUCCESS, status.FAILED)
