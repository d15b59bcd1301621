"""Start a job that waits for a person or for its time."""

from collections.abc import Mapping, Sequence

from app.domain import status
from app.domain.errors import NotPlayable
from app.domain.permissions import Action
from app.domain.plan import Variable
from app.models import Job, User, write
from app.services import access
from app.services.core import Core
from app.services.jobs.give_inputs import NOTHING, give_inputs
from app.services.jobs.reset_dependents import reset_dependents
from app.services.jobs.retry_job import require_variables_right, retry_held, retryable, set_variables
from app.services.locks import lock_job
from app.services.pipelines.advance_pipeline import advance, enqueue
from app.services.repositories.ref_access import require_ref


def playable(job: Job) -> bool:
    """Whether a person may start `job` now (gitlab.md B.1)."""
    startable = job.when in ("manual", "delayed") and not job.project.archived
    # A trigger job that shows its pipeline's status waits for nobody itself.
    waits = job.status in status.BLOCKED and not (job.bridge and job.started_at is not None)
    return startable and (waits or retryable(job))


def play_job(
    core: Core,
    job: Job,
    user: User | None,
    variables: Sequence[Variable] = (),
    inputs: Mapping[str, object] = NOTHING,
) -> Job:
    """Start `job` with these variables on top of its own, and these values of its inputs (`domain.job_inputs`).

    Returns it, or its next attempt where it has run already. Raises NotPlayable, NotAllowed, NotFound, InvalidRequest.
    """
    access.require(core, Action.UPDATE_JOB, user, job.project)
    require_ref(core, user, job.pipeline)
    require_variables_right(core, job, user, variables)
    job_id, user_id = job.id, user.id if user else None
    with write(core.session):
        held = lock_job(core, job_id)
        played_id = play_held(core, held, user_id, variables, inputs).id
    return core.session.get_one(Job, played_id)


def play_held(
    core: Core,
    job: Job,
    user_id: int | None,
    variables: Sequence[Variable] = (),
    inputs: Mapping[str, object] = NOTHING,
) -> Job:
    """*In a write*, with `job` held: as `play_job`, for whoever was asked already. Raises NotPlayable."""
    if not playable(job):
        raise NotPlayable("Unplayable Job")
    if job.status in status.BLOCKED:
        give_inputs(job, inputs)
        _start(core, job, user_id, variables)
        return job
    if variables:
        set_variables(core, job, variables)
    return retry_held(core, job, user_id, inputs)


def _start(core: Core, job: Job, user_id: int | None, variables: Sequence[Variable]) -> None:
    job.user_id = user_id
    if variables:
        set_variables(core, job, variables)
    enqueue(core, job)
    reset_dependents(core, job, user_id)
    advance(core, job.pipeline)
