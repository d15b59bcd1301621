"""A claimed job in the form that goes to its runner (gitlab.md A.3.1)."""

from collections.abc import Iterable
from typing import Any

import structlog

from app.domain import failure, job_inputs, plan_json
from app.domain.plan import ArtifactSpec, CacheSpec, Image, JobPlan, Service, Step, Variable
from app.domain.runner_features import STEPS
from app.models import Job, Runner
from app.services import access
from app.services.core import Core
from app.services.pipelines.predefined import repository_url
from app.services.pipelines.variables import Known, job_variables
from app.services.runners import dependencies
from app.services.runners.claim_job import Claimed
from app.services.runners.job_facts import read_facts
from app.services.runners.unclaimable import TROUBLE, end_unclaimable

log = structlog.get_logger(__name__)

TOKEN_PREFIXES = ("glpat-", "glrt-", "glrtr-", "glcbt-", "glptt-")
HAND_BACK = "skerry_hand_back"


def job_payload(core: Core, claimed: Claimed, features: frozenset[str]) -> dict[str, Any]:
    """The body of the 201, for a manager that has `features`. What only our runner understands goes to it alone."""
    facts = read_facts(core, claimed.job_id)
    job = facts.job
    runner = job.runner
    if runner is None:
        raise ValueError(f"job {job.id} has no runner")
    # Filled in here, so that any runner will do, whether it knows inputs itself or not.
    plan = plan_json.from_json(JobPlan, job_inputs.filled(job.plan))
    given_by = dependencies.jobs_of(core, job)
    known = Known(plan, given_by, of_merge_request=facts.of_merge_request, of_definition=facts.of_definition)
    variables = job_variables(core, job, runner, claimed.token, known)
    ours = STEPS in features
    timeout = effective_timeout(job.timeout, runner.maximum_timeout)
    return {
        "id": job.id,
        "token": claimed.token,
        "allow_git_fetch": job.project.git_strategy == "fetch",
        "job_info": _job_info(core, job) | _of_instance(runner, facts.running, facts.instance),
        "git_info": _git_info(core, job, claimed.token, variables),
        "runner_info": {"timeout": timeout, "runner_session_url": core.config.external_url},
        "inputs": [],
        "variables": [_variable(variable) for variable in variables],
        "steps": _own_steps(plan.steps) if ours else _stock_steps(plan.steps, timeout),
        "hooks": [{"name": "pre_get_sources_script", "script": list(hook.script)} for hook in plan.hooks],
        "image": _image(plan.image),
        "services": [_service(service) for service in plan.services],
        "artifacts": [_artifact(spec, ours) for spec in plan.artifacts] or None,
        "cache": [_cache(spec, job.protected) for spec in plan.cache],
        "credentials": [],
        "dependencies": _dependencies(core, given_by, claimed.token),
        "features": _features(features),
    } | ({"workspace": plan.workspace} if ours and plan.workspace else {})


def payload_or_failure(core: Core, claimed: Claimed, features: frozenset[str]) -> dict[str, Any] | None:
    """`job_payload`; where it cannot be made, twice, the job ends with a reason (two more attempts follow): None.

    Raises what a database raises that does not work: nobody hears of the job then, and so it goes back to the queue.
    """
    for _ in range(2):
        try:
            return job_payload(core, claimed, features)
        except TROUBLE:
            raise
        except Exception:
            core.session.rollback()
            log.exception("a claimed job could not be described", job=claimed.job_id)
    sentence = "The server could not describe the job."
    end_unclaimable(core, claimed.job_id, failure.SCHEDULER_FAILURE, sentence, claimed.token)
    return None


def effective_timeout(timeout: int, maximum: int | None) -> int:
    """Seconds that the job may run: its own limit, or the runner's where that is lower."""
    return min(timeout, maximum) if maximum else timeout


def _job_info(core: Core, job: Job) -> dict[str, Any]:
    project = job.project
    groups = access.group_chain(core, project.group)
    queued = job.queued_at or job.created_at
    return {
        "id": job.id,
        "name": job.name,
        "stage": job.stage,
        "project_id": project.id,
        "project_name": project.name,
        "project_full_path": project.full_path,
        "namespace_id": groups[0],
        "root_namespace_id": groups[-1],
        "organization_id": 1,
        "pipeline_id": job.pipeline_id,
        "user_id": job.user_id,
        "scoped_user_id": None,
        "time_in_queue_seconds": round(((job.claimed_at or queued) - queued).total_seconds(), 3),
        "queue_size": 0,
        "queue_depth": 0,
    }


def _of_instance(runner: Runner, running: int, instance: str | None) -> dict[str, Any]:
    """`running`: jobs of the project on instance runners, with this one."""
    others = str(max(running - 1, 0)) if runner.runner_type == "instance_type" else "+Inf"
    return {
        "instance_id": instance,
        "instance_uuid": instance,
        "project_jobs_running_on_instance_runners_count": others,
    }


def _git_info(core: Core, job: Job, token: str, variables: Iterable[Variable]) -> dict[str, Any]:
    pipeline, project = job.pipeline, job.project
    depth = _depth(variables, project.git_depth)
    return {
        "repo_url": "" if project.repository == "none" else repository_url(core, project, token),
        "ref": pipeline.ref,
        "sha": pipeline.sha,
        "before_sha": pipeline.before_sha,
        "ref_type": "tag" if pipeline.tag else "branch",
        "refspecs": _refspecs(pipeline.id, pipeline.ref, pipeline.tag, depth),
        "depth": depth,
        "repo_object_format": "sha256" if len(pipeline.sha) == 64 else "sha1",
        "protected": pipeline.protected,
    }


def _refspecs(pipeline_id: int, ref: str, tag: bool, depth: int) -> list[str]:
    """First the ref that keeps the commit alive, then the job's own, or all where history is wanted whole."""
    kept = f"+refs/pipelines/{pipeline_id}:refs/pipelines/{pipeline_id}"
    if depth == 0:
        return [kept, "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
    return [kept, f"+refs/tags/{ref}:refs/tags/{ref}" if tag else f"+refs/heads/{ref}:refs/remotes/origin/{ref}"]


def _depth(variables: Iterable[Variable], default: int) -> int:
    """GIT_DEPTH where it is a number, else the project's."""
    given = [variable.value for variable in variables if variable.key == "GIT_DEPTH"]
    return int(given[-1]) if given and given[-1].isascii() and given[-1].isdigit() and len(given[-1]) < 10 else default


def _variable(variable: Variable) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "key": variable.key,
        "value": variable.value,
        "public": variable.public,
        "masked": variable.masked,
    }
    if variable.file:
        wire["file"] = True
    if variable.raw:
        wire["raw"] = True
    return wire


def _stock_steps(steps: Iterable[Step], timeout: int) -> list[dict[str, Any]]:
    """Steps that share a shell become one, for a runner that gives each step a shell of its own."""
    wire: list[dict[str, Any]] = []
    for step in steps:
        if not step.own_shell and wire:
            wire[-1]["name"], wire[-1]["script"] = step.name, wire[-1]["script"] + list(step.script)
        else:
            wire.append(_step(step) | {"timeout": step.timeout or timeout})
    return wire


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "script": list(step.script),
        "timeout": step.timeout,
        "when": step.when,
        "allow_failure": step.allow_failure,
    }


def _own_steps(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Each step as it is planned; a report's `position` is its place in this list and in `job_steps`."""
    return [
        _step(step)
        | {
            "phase": step.phase,
            "image": _image(step.image),
            "runtime": step.runtime,
            "own_shell": step.own_shell,
            "errexit": step.errexit,
            "pipefail": step.pipefail,
            "verbatim": step.verbatim,
            "environment": [_variable(variable) for variable in step.environment],
        }
        for step in steps
    ]


def _image(image: Image | None) -> dict[str, Any] | None:
    if image is None:
        return None
    docker = {key: value for key, value in (("platform", image.platform), ("user", image.user)) if value}
    return {
        "name": image.name,
        "entrypoint": None if image.entrypoint is None else list(image.entrypoint),
        "ports": [],
        "pull_policy": list(image.pull_policy),
        "executor_opts": {"docker": docker} if docker else {},
    }


def _service(service: Service) -> dict[str, Any]:
    return (_image(service.image) or {}) | {
        "alias": " ".join(service.aliases),
        "command": None if service.command is None else list(service.command),
        "variables": [_variable(variable) for variable in service.variables],
    }


def _artifact(spec: ArtifactSpec, ours: bool) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "name": spec.name,
        "untracked": spec.untracked,
        "paths": list(spec.paths),
        "when": spec.when,
        "artifact_type": spec.file_type,
        "artifact_format": spec.file_format,
    }
    if spec.exclude:
        wire["exclude"] = list(spec.exclude)
    if ours and spec.required:
        wire["required"] = True
    if spec.expire_in is not None:
        wire["expire_in"] = f"{spec.expire_in} seconds" if spec.expire_in else "never"
    return wire


def _cache(spec: CacheSpec, protected: bool) -> dict[str, Any]:
    """What unprotected refs write never reaches protected ones: their keys differ, unless the job asks to share."""
    suffix = "" if spec.unprotect else "-protected" if protected else "-non_protected"
    return {
        "key": spec.key + suffix,
        "untracked": spec.untracked,
        "unprotect": spec.unprotect,
        "paths": list(spec.paths),
        "policy": spec.policy,
        "when": spec.when,
        "fallback_keys": [key + suffix for key in spec.fallback_keys],
    }


def _dependencies(core: Core, jobs: list[Job], token: str) -> list[dict[str, Any]]:
    archives = dependencies.archives(core, jobs)
    return [
        {"id": other.id, "name": other.name, "token": token}
        | (
            {"artifacts_file": {"filename": archives[other.id].filename, "size": archives[other.id].size}}
            if other.id in archives
            else {}
        )
        for other in jobs
    ]


def _features(features: frozenset[str]) -> dict[str, Any]:
    known: dict[str, Any] = {
        "trace_sections": True,
        "token_mask_prefixes": list(TOKEN_PREFIXES),
        "failure_reasons": sorted(failure.REASONS),
    }
    return known | {name: True for name in (STEPS, HAND_BACK) if name in features}
