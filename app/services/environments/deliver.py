"""What follows when a job with an environment, a release or a site is claimed or ends."""

from datetime import timedelta

from sqlalchemy import select

from app.domain import durations, environments, status
from app.domain.delivery import EnvironmentSpec
from app.domain.plan import Variable
from app.models import Deployment, Environment, Job
from app.services.core import Core
from app.services.environments.deployments import follow
from app.services.environments.job_environment import environment_of, expanded, spec_of, usable_url
from app.services.environments.settled_variables import settled_variables
from app.services.pages.publish_site import publish_site
from app.services.releases import order_release

#: The actions after which an environment lives for `auto_stop_in` from then on.
_RENEWING = ("start", "prepare", "access")


def why_not(core: Core, job: Job) -> str | None:
    """*In a write*: why a job whose script has passed has failed all the same, in a sentence; None where it has not."""
    if not job.delivers or job.plan.get("release") is None:
        return None
    return order_release.why_not(core, job, settled_variables(core, job))


def job_claimed(core: Core, job_id: int) -> None:
    """*In a write*: the job runs from now on, its deployment with it."""
    deployment = core.session.scalar(select(Deployment).where(Deployment.job_id == job_id))
    if deployment is not None:
        follow(core, deployment, status.RUNNING)


def job_ended(core: Core, job: Job) -> None:
    """*In a write*, with `job` held: it has just ended, in whatever way."""
    if not job.delivers:
        return
    spec, environment = spec_of(job), environment_of(core, job)
    if spec is not None and environment is not None:
        _move(core, job, spec, environment)
    if job.status == status.SUCCESS:
        publish_site(core, job)
        order_release.order_release(core, job)


def _move(core: Core, job: Job, spec: EnvironmentSpec, environment: Environment) -> None:
    passed = job.status == status.SUCCESS
    if spec.action == "stop":
        if passed:
            _set_state(core, environment, environments.STOPPED)
        elif environment.state == environments.STOPPING:
            _set_state(core, environment, environments.AVAILABLE)
        return
    if not passed:
        return
    variables = settled_variables(core, job)
    if spec.action == "start":
        if spec.url is not None:
            environment.external_url = usable_url(expanded(spec.url, variables)) or environment.external_url
        environment.tier = spec.deployment_tier or environment.tier
        _set_state(core, environment, environments.AVAILABLE)
    if spec.action in _RENEWING and spec.auto_stop_in is not None:
        _set_auto_stop(core, environment, spec.auto_stop_in, variables)


def _set_state(core: Core, environment: Environment, state: str) -> None:
    environment.state, environment.updated_at = state, core.now()
    if state == environments.STOPPED:
        environment.auto_stop_at = None


def _set_auto_stop(core: Core, environment: Environment, words: str, variables: list[Variable]) -> None:
    """The words were checked where they hold no variables; with variables, what is no duration changes nothing."""
    try:
        seconds = durations.parse(expanded(words, variables), never=True)
    except durations.InvalidDuration:
        return
    environment.auto_stop_at = core.now() + timedelta(seconds=seconds) if seconds else None
