"""Run one job again, as a new row."""

import json
from collections.abc import Mapping, Sequence

from app.domain import plan_json, status
from app.domain.errors import NotAllowed, NotRetryable
from app.domain.permissions import Action
from app.domain.plan import Variable
from app.models import Job, User, write
from app.services import access
from app.services.core import Core
from app.services.jobs.attempts import new_attempt
from app.services.jobs.give_inputs import NOTHING, give_inputs
from app.services.jobs.reset_dependents import reset_dependents
from app.services.locks import lock_job
from app.services.pipelines.advance_pipeline import advance
from app.services.pipelines.require_variables import REFUSED, may_give_variables
from app.services.repositories.ref_access import require_ref


def retryable(job: Job) -> bool:
    """Whether `job` can be run again (gitlab.md B.1)."""
    return not job.retried and job.status in status.RETRYABLE and not job.project.archived


def retry_job(
    core: Core,
    job: Job,
    user: User | None,
    variables: Sequence[Variable] = (),
    inputs: Mapping[str, object] = NOTHING,
) -> Job:
    """Run `job` again, with these variables on top of its own, and these values of its inputs; return the new job.

    Raises NotRetryable, NotAllowed, NotFound, InvalidRequest.
    """
    access.require(core, Action.UPDATE_JOB, user, job.project)
    require_ref(core, user, job.pipeline)
    require_variables_right(core, job, user, variables)
    job_id, user_id = job.id, user.id if user else None
    with write(core.session):
        held = lock_job(core, job_id)
        if not retryable(held):
            raise NotRetryable("Job is not retryable")
        if variables:
            set_variables(core, held, variables)
        fresh_id = retry_held(core, held, user_id, inputs).id
    return core.session.get_one(Job, fresh_id)


def require_variables_right(core: Core, job: Job, user: User | None, variables: Sequence[Variable]) -> None:
    """Raises NotAllowed where there are variables, and `user` may not give them in the job's project."""
    if variables and not may_give_variables(core, user, job.project):
        raise NotAllowed(f"{REFUSED} in {job.project.full_path}")


def set_variables(core: Core, job: Job, variables: Sequence[Variable]) -> None:
    """*In a write*: keep `variables` sealed on the row of `job`, from which its next attempt takes them."""
    text = json.dumps([plan_json.to_json(variable) for variable in variables])
    job.variables_sealed = core.box.seal(text, job.seal_context)


def retry_held(core: Core, job: Job, user_id: int | None, inputs: Mapping[str, object] = NOTHING) -> Job:
    """*In a write*, with a retryable `job` held: its next attempt, queued as soon as what it waits for has ended."""
    fresh = new_attempt(core, job, user_id, enqueue_immediately=True)
    give_inputs(fresh, inputs)
    reset_dependents(core, fresh, user_id)
    fresh.pipeline.auto_canceled_by_id = None  # somebody wants it after all
    advance(core, fresh.pipeline)
    return fresh
