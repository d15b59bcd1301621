"""A runner speaks of a job with the job's token: is it the right one, and does the job still run?"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from app import crypto
from app.domain import status
from app.domain.errors import NotAllowed, NotFound
from app.models import Job, Pipeline, after_commit, write
from app.services.core import Core
from app.services.locks import lock_job, lock_job_alone
from app.services.pipelines.advance_pipeline import advance, show_start
from app.services.runners.runner_contact import CONTACT_EVERY, touch_runner


class NotProcessing(NotAllowed):
    """The token is not this job's, or the job does not run any more. `job_status` is told only to the token's owner."""

    def __init__(self, job_status: str | None = None) -> None:
        super().__init__("Job is not processing on runner" if job_status else "")
        self.job_status = job_status


_FIND: dict[str, Callable[[Core, int], Job | None]] = {
    "": lambda core, job_id: core.session.get(Job, job_id),
    "alone": lock_job_alone,
    "to move": lock_job,
}


def owned_job(core: Core, job_id: int, token: str, *, hold: str = "") -> Job:
    """The job, whose token `token` has to be, in whatever status. `hold`, *in a write*: "alone" or "to move".

    Raises NotProcessing, for unknown jobs too.
    """
    try:
        job = _FIND[hold](core, job_id)
    except NotFound:
        job = None
    if job is None or not is_token(token, job.token_hash):
        raise NotProcessing
    return job


def is_token(token: str, token_hash: str | None) -> bool:
    """Whether `token_hash` is what is kept of `token`; None: of no token."""
    return token_hash is not None and crypto.same(token_hash, crypto.token_hash(token))


def running_job(core: Core, job_id: int, token: str, *, hold: str = "") -> Job:
    """As `owned_job`, and the job runs or is being canceled."""
    job = owned_job(core, job_id, token, hold=hold)
    if job.status not in status.EXECUTING or job.erased_at is not None:
        raise NotProcessing(job.status)
    return job


def renew_lease(core: Core, job: Job) -> None:
    """*In a write*, with `job` held: its runner was heard of."""
    now, before = core.now(), job.heard_at
    job.heard_at = job.updated_at = now
    job.lease_expires_at = now + timedelta(seconds=core.config.lease)
    if before is None and not show_start(core, job.pipeline_id):
        pipeline_id = job.pipeline_id
        after_commit(core.session, lambda: _show_start_later(core, pipeline_id))
    period = CONTACT_EVERY.total_seconds()
    if before is None or before.timestamp() // period != now.timestamp() // period:
        touch_runner(core, job.runner_id, job.runner_manager_id)


def _show_start_later(core: Core, pipeline_id: int) -> None:
    with write(core.session):
        advance(core, core.session.get_one(Pipeline, pipeline_id))


def update_interval(core: Core, job: Job) -> int:
    """`interval_of` the job's runner."""
    manager = job.runner_manager
    return interval_of(core, job.id, manager.features if manager is not None else None)


def interval_of(core: Core, job_id: int, features: Mapping[str, Any] | None) -> int:
    """How many seconds a runner with these features may gather output before it sends some (gitlab.md A.5).

    Three while somebody watches the log. Else a minute for a stock runner. Ours sends at once whenever it may send
    every three seconds, and asks for a cancel as often: clients that poll the log see it live too.
    """
    ours = features is not None and features.get("skerry_steps") is True
    return LIVE if ours or core.bus.watched(f"trace:{job_id}") else UNWATCHED


LIVE, UNWATCHED = 3, 60
