"""The environment that a job names, and the variables that say so (gitlab.md A.8)."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from sqlalchemy import select

from app.domain import environments, plan_json
from app.domain.delivery import EnvironmentSpec
from app.domain.plan import Variable
from app.domain.variables import CircularReference, expand, expand_existing, sort_and_expand
from app.models import Environment, Job, Pipeline
from app.services.core import Core


def spec_of(job: Job) -> EnvironmentSpec | None:
    """What the plan of `job` says of its environment; None where it names none."""
    found = job.plan.get("environment") if job.delivers else None
    return None if found is None else plan_json.from_json(EnvironmentSpec, found)


def name_of(pipeline: Pipeline, spec: EnvironmentSpec) -> str:
    """The environment's name, with what is known only since the pipeline has a row."""
    known = {
        "CI_PIPELINE_IID": str(pipeline.iid),
        "CI_PIPELINE_NAME": pipeline.name or "",
        "CI_PIPELINE_CREATED_AT": pipeline.created_at.isoformat(timespec="seconds"),
    }
    return expand_existing(spec.name, known)


def environment_of(core: Core, job: Job) -> Environment | None:
    """The environment that `job` names, None where it names none or where there is none of that name."""
    spec = spec_of(job)
    if spec is None:
        return None
    return by_name(core, job.project_id, name_of(job.pipeline, spec))


def by_name(core: Core, project_id: int, name: str) -> Environment | None:
    found = select(Environment).where(Environment.project_id == project_id, Environment.name == name)
    return core.session.scalar(found)


def variables_before(environment: Environment | None, spec: EnvironmentSpec | None) -> Iterator[Variable]:
    """What other variables of the job may override."""
    if environment is None or spec is None:
        return
    yield Variable("CI_ENVIRONMENT_NAME", environment.name, raw=True)
    yield Variable("CI_ENVIRONMENT_ACTION", spec.action)
    yield Variable("CI_ENVIRONMENT_TIER", spec.deployment_tier or environment.tier)


def variables_after(environment: Environment | None, spec: EnvironmentSpec | None) -> Iterator[Variable]:
    """What overrides everything: the slug, and the address, which may hold any other variable."""
    if environment is None or spec is None:
        return
    yield Variable("CI_ENVIRONMENT_SLUG", environment.slug)
    url = spec.url or environment.external_url
    if url:
        yield Variable("CI_ENVIRONMENT_URL", url, raw=spec.url is None)


def expanded(text: str, variables: Iterable[Variable]) -> str:
    """`text` with all `variables` in it replaced, whatever these hold; what is unknown becomes nothing."""
    given = list(variables)
    with suppress(CircularReference):  # settings may have changed since the pipeline was checked
        given = sort_and_expand(given)
    return expand(text, {variable.key: variable.value for variable in given})


def usable_url(url: str) -> str | None:
    """`url` where a page may link it: http or https with a host; None for anything else."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    short = len(url) <= environments.MOST_CHARACTERS
    return url if short and parts.scheme in ("http", "https") and parts.hostname else None
