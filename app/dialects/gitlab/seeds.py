"""A job that is part of the pipeline, and the plan that is made of it."""

from collections.abc import Collection
from dataclasses import dataclass

from app.dialects.gitlab.configuration import DEFAULT_STAGE
from app.dialects.gitlab.entries.pages import with_site
from app.dialects.gitlab.entries.rules import Rule
from app.dialects.gitlab.entries.scripts import AllowFailure
from app.dialects.gitlab.expansion import Expanded, Instance
from app.dialects.gitlab.jobs import JobConfig
from app.dialects.gitlab.report import Report, quoted
from app.domain import job_inputs, plan_json
from app.domain.delivery import EnvironmentSpec, PagesSpec
from app.domain.plan import JobPlan, Need, RetryPolicy, Step, Variable

MOST_NEEDS = 50
#: Nobody said that it may fail, but nobody has to start it either.
_OPTIONAL = AllowFailure(True)


@dataclass(frozen=True, slots=True)
class Seed:
    """An instance, the rule that let it in (None: no rules), its own variables, and what they were expanded in."""

    instance: Instance
    rule: Rule | None
    variables: tuple[Variable, ...]
    tags: tuple[str, ...]
    resource_group: str | None
    environment: EnvironmentSpec | None = None
    pages: PagesSpec | None = None


def to_plan(seed: Seed, names: Collection[str], expanded: Expanded, report: Report) -> JobPlan:
    """The plan of one job. `names`: all jobs that are part of the pipeline."""
    instance, job, rule = seed.instance, seed.instance.job, seed.rule
    when = (rule.when if rule else None) or job.when or "on_success"
    allowed = _allow_failure(job, rule)
    interruptible = rule.interruptible if rule and rule.interruptible is not None else job.interruptible
    plan = JobPlan(
        name=instance.name,
        stage=job.stage or DEFAULT_STAGE,
        steps=_steps(job),
        image=job.image,
        services=job.services or (),
        variables=seed.variables,
        artifacts=with_site(job.artifacts or (), seed.pages),
        cache=job.cache or (),
        needs=_needs(seed, names, expanded, report),
        dependencies=_dependencies(job, names, expanded),
        tags=seed.tags,
        when=when,
        start_in=_start_in(job, rule) if when == "delayed" else None,
        allow_failure=allowed.static,
        allow_failure_exit_codes=allowed.exit_codes,
        retry=job.retry or RetryPolicy(),
        timeout=job.timeout,
        instance=None if instance.index is None else (instance.index, instance.total),
        interruptible=bool(interruptible),
        manual_confirmation=job.manual_confirmation,
        optional_start=allowed is _OPTIONAL,
        hooks=(Step("pre_get_sources_script", job.hooks, phase="pre_get_sources"),) if job.hooks else (),
        coverage=job.coverage,
        resource_group=seed.resource_group,
        foreign_needs=job.foreign_needs,
        trigger=job.trigger,
        environment=seed.environment,
        id_tokens=job.id_tokens or (),
        release=job.release,
        pages=seed.pages,
        inputs=job.inputs or (),
    )
    if job.inputs:
        _check_inputs(plan, job, report)
    return plan


def _check_inputs(plan: JobPlan, job: JobConfig, report: Report) -> None:
    """Report the inputs that a job asks for and does not have."""
    names = [one.name for one in job.inputs or ()]
    for name in sorted(job_inputs.used(plan_json.to_json(plan)).difference(names)):
        hint = report.did_you_mean(name, names)
        report.error(job.mark, "unknown_input", f"jobs:{quoted(job.name)} uses an unknown input: {quoted(name)}{hint}")


def _steps(job: JobConfig) -> tuple[Step, ...]:
    """before_script and script are one step, in one shell; after_script is another, and its failure never counts."""
    if job.trigger is not None:
        return ()
    steps = [Step("script", (*(job.before_script or ()), *(job.script or ())))]
    if job.after_script:
        steps.append(Step("after_script", job.after_script, phase="after_script", when="always", allow_failure=True))
    return tuple(steps)


def _allow_failure(job: JobConfig, rule: Rule | None) -> AllowFailure:
    """A rule's word counts before the job's; without either, a job that is manual by itself may fail."""
    if rule is not None and rule.allow_failure is not None:
        return AllowFailure(rule.allow_failure)
    if job.allow_failure is not None:
        return job.allow_failure
    return _OPTIONAL if job.when == "manual" and (rule is None or rule.when is None) else AllowFailure(False)


def _start_in(job: JobConfig, rule: Rule | None) -> int | None:
    return rule.start_in if rule and rule.start_in is not None else job.start_in


def _needs(seed: Seed, names: Collection[str], expanded: Expanded, report: Report) -> tuple[Need, ...] | None:
    """Every need by the name of its job; optional ones whose job is left out are dropped."""
    instance, job = seed.instance, seed.instance.job
    needs = seed.rule.needs if seed.rule and seed.rule.needs is not None else job.needs
    if needs is None:
        return None
    found: dict[str, Need] = {}
    listed: dict[str, None] = {}
    absent: dict[str, None] = {}
    for need in needs:
        for name in expanded.needed(need, instance.choice):
            listed[name] = None
            if name in names:
                found.setdefault(name, Need(name, need.artifacts, need.optional))
            elif not need.optional:
                absent[name] = None
    if len(listed) > MOST_NEEDS:
        message = (
            f"{quoted(instance.name)}: one job can only need {MOST_NEEDS} others, but you have listed {len(listed)}"
        )
        report.error(job.mark, "too_many_needs", f"{message}. See needs keyword documentation for more details")
        return ()
    for name in absent:
        _refuse_absent(instance, name, report)
    return tuple(found.values())


def _refuse_absent(instance: Instance, name: str, report: Report) -> None:
    need, job = quoted(name), quoted(instance.name)
    message = (
        f"'{job}' job needs '{need}' job, but '{need}' does not exist in the pipeline. "
        "This might be because of the only, except, or rules keywords. "
        "To need a job that sometimes does not exist in the pipeline, use needs:optional."
    )
    report.error(instance.job.mark, "absent_need", message)


def _dependencies(job: JobConfig, names: Collection[str], expanded: Expanded) -> tuple[str, ...] | None:
    """All instances of the jobs named, those that rules leave out excepted."""
    if job.dependencies is None:
        return None
    found = (name for dependency in job.dependencies for name in expanded.names(dependency) if name in names)
    return tuple(dict.fromkeys(found))
