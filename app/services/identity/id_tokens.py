"""Id tokens: what a job can show to others to prove which job it is (gitlab.md C.2, `id_tokens`; A.8)."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from app.domain.delivery import IdToken
from app.domain.permissions import Role
from app.domain.plan import JobPlan, Variable
from app.domain.refs import BRANCH_PREFIX, TAG_PREFIX
from app.domain.variables import CircularReference, expand_existing, sort_and_expand
from app.models import Environment, Job
from app.services import access
from app.services.core import Core
from app.services.identity.signing_key import load_key, sign

#: Clocks differ: a token counts from a little before it was made.
_SKEW = timedelta(seconds=5)

#: What a token may say.
CLAIMS = (
    *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "namespace_id", "namespace_path", "project_id", "project_path"),
    *("project_visibility", "user_id", "user_login", "user_email", "user_access_level", "pipeline_id"),
    *("pipeline_source", "job_id", "ref", "ref_type", "ref_path", "ref_protected", "environment"),
    *("environment_protected", "deployment_tier", "environment_action", "runner_id", "runner_environment", "sha"),
    *("ci_config_ref_uri", "ci_config_sha"),
)


def issuer(core: Core) -> str:
    """Whose tokens these are: the address under which others find the keys."""
    return core.config.external_url


def id_token_variables(
    core: Core, job: Job, plan: JobPlan, environment: Environment | None, known: Sequence[Variable]
) -> Iterator[Variable]:
    """The tokens that the plan of `job` asks for, each a masked variable. `known`: what audiences may refer to."""
    if not plan.id_tokens:
        return
    claims, values, key = _claims(core, job, plan, environment), _values(known), load_key(core)
    for token in plan.id_tokens:
        own = {"aud": _audience(token, values), "jti": str(uuid.uuid4())}
        yield Variable(token.key, sign(key, claims | own), public=False, masked=True, raw=True)


def _values(known: Sequence[Variable]) -> dict[str, str]:
    with suppress(CircularReference):  # settings may have changed since the pipeline was checked
        known = sort_and_expand(known, keep_undefined=True)
    return {variable.key: variable.value for variable in known if not variable.file}


def _audience(token: IdToken, values: dict[str, str]) -> str | list[str]:
    texts = [expand_existing(text, values) for text in token.audience]
    return texts if token.listed else texts[0]


def _claims(core: Core, job: Job, plan: JobPlan, environment: Environment | None) -> dict[str, Any]:
    now, pipeline, project = core.now(), job.pipeline, job.project
    kind = "tag" if pipeline.tag else "branch"
    path = (TAG_PREFIX if pipeline.tag else BRANCH_PREFIX) + pipeline.ref
    return {
        "iss": issuer(core),
        "sub": f"project_path:{project.full_path}:ref_type:{kind}:ref:{pipeline.ref}",
        "iat": int(now.timestamp()),
        "nbf": int((now - _SKEW).timestamp()),
        "exp": int((now + timedelta(seconds=_lifetime(job))).timestamp()),
        "namespace_id": str(project.group_id),
        "namespace_path": project.full_path.rpartition("/")[0],
        "project_id": str(project.id),
        "project_path": project.full_path,
        "project_visibility": project.visibility,
        **_of_user(core, job),
        "pipeline_id": str(pipeline.id),
        "pipeline_source": pipeline.source,
        "job_id": str(job.id),
        "ref": pipeline.ref,
        "ref_type": kind,
        "ref_path": path,
        "ref_protected": _word(pipeline.protected),
        "runner_id": job.runner_id,
        "runner_environment": "self-hosted",
        "sha": pipeline.sha,
        "ci_config_ref_uri": f"{core.config.external_url.partition('://')[2]}/{project.full_path}"
        f"//{pipeline.config_path or project.config_path}@{path}",
        "ci_config_sha": pipeline.sha,
        **_of_environment(plan, environment),
    }


def _lifetime(job: Job) -> int:
    """A token lives as long as its job may run, in seconds."""
    maximum = job.runner.maximum_timeout if job.runner else None
    return min(job.timeout, maximum) if maximum else job.timeout


def _of_user(core: Core, job: Job) -> dict[str, Any]:
    """For whom the job runs. Jobs of schedules whose owner is gone run for nobody."""
    user = job.user
    if user is None:
        return {"user_id": "", "user_login": "", "user_email": "", "user_access_level": None}
    role = Role.OWNER if user.is_admin else access.role_of(core, user, job.project)
    level = None if role is Role.NONE else role.name.lower()
    return {
        "user_id": str(user.id),
        "user_login": user.username,
        "user_email": user.email,
        "user_access_level": level,
    }


def _of_environment(plan: JobPlan, environment: Environment | None) -> dict[str, Any]:
    if environment is None or plan.environment is None:
        return {}
    return {
        "environment": environment.name,
        "environment_protected": _word(False),
        "deployment_tier": plan.environment.deployment_tier or environment.tier,
        "environment_action": plan.environment.action,
    }


def _word(truth: bool) -> str:
    return "true" if truth else "false"
