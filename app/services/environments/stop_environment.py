"""Environments that are stopped: by people, by time, and when their branch is deleted.

Where the last deployment names a job for it (`on_stop`), that job is started, and the environment is stopped once it
has passed. Without one nothing has to be done outside, and it is stopped at once.
"""

from collections.abc import Iterable

import structlog
from sqlalchemy import select

from app.domain import environments, status
from app.domain.errors import SkerryError
from app.domain.permissions import Action
from app.models import Deployment, Environment, Job, Pipeline, User, write
from app.services import access
from app.services.core import Core
from app.services.environments.deployments import last_deployment
from app.services.environments.find_environments import hold_environment
from app.services.jobs.play_job import play_held, playable
from app.services.locks import lock_pipeline
from app.services.repositories.ref_access import require_ref

log = structlog.get_logger(__name__)
BATCH = 100


def stop_environment(core: Core, environment: Environment, user: User | None, force: bool = False) -> Environment:
    """Stop it; `force` leaves its stop job alone. Raises NotAllowed, NotFound."""
    access.require(core, Action.STOP_ENVIRONMENT, user, environment.project)
    job = stop_job(core, environment)
    if job is not None and not force:
        require_ref(core, user, job.pipeline)
    environment_id, user_id = environment.id, user.id if user else None
    with write(core.session):
        _stop(core, environment_id, user_id, force)
    return core.session.get_one(Environment, environment_id)


def stop_job(core: Core, environment: Environment) -> Job | None:
    """The job that stops `environment`, in the pipeline that deployed last; None where none is named or left."""
    deployment = last_deployment(core, environment)
    if deployment is None or deployment.on_stop is None or deployment.pipeline_id is None:
        return None
    return core.session.scalar(
        select(Job).where(
            Job.pipeline_id == deployment.pipeline_id, Job.name == deployment.on_stop, Job.retried.is_(False)
        )
    )


def stop_expired_environments(core: Core) -> int:
    """Stop every environment whose time is over; return how many. For the background's loop."""
    due = select(Environment.id).where(
        Environment.auto_stop_at <= core.now(), Environment.state == environments.AVAILABLE
    )
    return _stop_all(core, core.session.scalars(due.order_by(Environment.auto_stop_at).limit(BATCH)).all())


def stop_for_branches(core: Core, project_id: int, branches: Iterable[str], user: User | None) -> int:
    """Stop the environments with a stop job whose last deployment came from one of these branches, which are gone.

    Only those that `user`, who deleted the branch, may stop. Returns how many.
    """
    names = set(branches)
    query = select(Environment).where(Environment.project_id == project_id, Environment.state == environments.AVAILABLE)
    query = query.where(
        Environment.id.in_(
            select(Deployment.environment_id).where(
                Deployment.project_id == project_id, Deployment.ref.in_(names), Deployment.tag.is_(False)
            )
        )
    )
    stopped = 0
    for environment in core.session.scalars(query).all():
        deployment, job = last_deployment(core, environment), stop_job(core, environment)
        if job is None or deployment is None or deployment.tag or deployment.ref not in names:
            continue
        try:
            stop_environment(core, environment, user)
        except SkerryError as error:  # the push that deleted the branch stands, whatever becomes of this
            log.info("an environment stays though its branch is gone", environment=environment.id, reason=str(error))
            continue
        stopped += 1
    return stopped


def _stop_all(core: Core, ids: Iterable[int]) -> int:
    stopped = 0
    for environment_id in ids:
        if core.bus.stopping:
            break
        try:
            with write(core.session):
                _stop(core, environment_id, None, False)
            stopped += 1
        except SkerryError as error:  # removed meanwhile, or its stop job cannot be started
            log.info("an environment could not be stopped", environment=environment_id, reason=str(error))
    return stopped


def _stop(core: Core, environment_id: int, user_id: int | None, force: bool) -> None:
    """*In a write*. `user_id` None: the stop job runs for whoever started its pipeline."""
    known = core.session.get(Environment, environment_id, populate_existing=True)
    job = stop_job(core, known) if known is not None and not force else None
    if job is not None:  # rows are held in one order: the pipeline before what belongs to it (`locks`)
        lock_pipeline(core, job.pipeline_id)
        core.session.refresh(job)
    held = hold_environment(core, environment_id)
    if held.state == environments.STOPPED:
        return
    now = core.now()
    held.auto_stop_at, held.updated_at = None, now
    if job is not None and job.status in status.ACTIVE | status.EXECUTING:
        held.state = environments.STOPPING
        return
    if job is None or not playable(job):
        held.state = environments.STOPPED
        return
    held.state = environments.STOPPING
    core.session.flush()
    play_held(core, job, user_id or job.user_id or core.session.get_one(Pipeline, job.pipeline_id).user_id)
