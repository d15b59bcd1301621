"""What somebody who starts a run may change in its plan before it becomes rows."""

from collections.abc import Iterable
from dataclasses import replace

from app.domain.errors import InvalidRequest
from app.domain.plan import CacheSpec, JobPlan, Plan

#: Steps that are called after their phase were not named by anybody.
_PHASES = frozenset({"script", "after_script", "pre_get_sources", "pre_get_sources_script"})


def start_manual(plan: Plan) -> Plan:
    """`plan` with its manual jobs started by themselves, as if they were on_success."""
    return replace(plan, jobs=tuple(_started(job) if job.when == "manual" else job for job in plan.jobs))


def _started(job: JobPlan) -> JobPlan:
    return replace(
        job, when="on_success", allow_failure=job.allow_failure and not job.optional_start, optional_start=False
    )


def afresh_after(plan: Plan, name: str) -> Plan:
    """`plan` in which nothing that comes after `name`, a job, stage or named step, is taken from an earlier run.

    Every job runs in every run; what earlier ones leave behind are caches, so those of later jobs are only written.
    Raises InvalidRequest where nothing in the plan is called `name`.
    """
    later = _later_jobs(plan, name)
    return replace(plan, jobs=tuple(_afresh(job) if job.name in later else job for job in plan.jobs))


def _afresh(job: JobPlan) -> JobPlan:
    return replace(job, cache=tuple(_written_only(cache) for cache in job.cache if cache.policy != "pull"))


def _written_only(cache: CacheSpec) -> CacheSpec:
    return replace(cache, policy="push")


def _later_jobs(plan: Plan, name: str) -> set[str]:
    """The names of the jobs that run after what is called `name`."""
    if name in plan.stages:
        named = {job.name for job in plan.jobs if job.stage == name}
        return _waiting_for(plan, named, plan.stages.index(name))
    named = {job.name for job in plan.jobs if _is_called(job, name)} or {
        job.name for job in plan.jobs if name in _checkpoints(job)
    }
    if not named:
        raise InvalidRequest(f"No job, stage or checkpoint is called {name!r}")
    return _waiting_for(plan, named, min(plan.stages.index(job.stage) for job in plan.jobs if job.name in named))


def _is_called(job: JobPlan, name: str) -> bool:
    """Whether `name` is the job's, or what its parallel instances have in common."""
    return job.name == name or (job.instance is not None and job.name.startswith((f"{name} ", f"{name}: ")))


def _checkpoints(job: JobPlan) -> Iterable[str]:
    return {step.name for step in job.steps} - _PHASES


def _waiting_for(plan: Plan, named: set[str], stage: int) -> set[str]:
    """The jobs that wait for one of `named`, however far: by `needs`, or by standing in a later stage than `stage`."""
    reached = set(named)
    fresh = True
    while fresh:
        fresh = False
        for job in plan.jobs:
            needed = job.needs is not None and any(need.job in reached for need in job.needs)
            after = job.needs is None and plan.stages.index(job.stage) > stage
            if job.name not in reached and (needed or after):
                reached.add(job.name)
                fresh = True
    return reached - named
