"""From a checked configuration to the plan of one pipeline."""

from dataclasses import dataclass

from app.dialects.base import CompileContext
from app.dialects.gitlab.configuration import DEFAULT_STAGE, FIRST_STAGE, LAST_STAGE, Configuration
from app.dialects.gitlab.graph import MOST_NEEDS
from app.dialects.gitlab.jobs import JobConfig
from app.dialects.gitlab.report import Report, quoted
from app.domain.plan import JobPlan, Need, Plan, RetryPolicy, Step, Variable
from app.domain.variables import expand_existing

EMPTY = "The pipeline would have no jobs: the rules leave all of them out."
ONLY_EDGES = "The pipeline would only have jobs in the stages .pre and .post."


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, or the reason why there is none; neither when there are errors, which are in the report."""

    plan: Plan | None = None
    skipped_reason: str | None = None


def plan(configuration: Configuration, context: CompileContext, report: Report) -> Planned:
    """The pipeline that `configuration` makes in `context`."""
    jobs = tuple(_job(job, configuration, context, report) for job in configuration.jobs.values())
    if report.has_errors:
        return Planned()
    if not jobs:
        return Planned(skipped_reason=EMPTY)
    used = {job.stage for job in jobs}
    if used <= {FIRST_STAGE, LAST_STAGE}:
        return Planned(skipped_reason=ONLY_EDGES)
    stages = tuple(stage for stage in configuration.stages if stage in used)
    return Planned(Plan(stages, jobs, variables=configuration.variables))


def _job(job: JobConfig, configuration: Configuration, context: CompileContext, report: Report) -> JobPlan:
    variables = merge(configuration.variables, job.variables or ())
    known = {**context.predefined, **{found.key: found.value for found in variables}, **context.variables}
    when = job.when or "on_success"
    allowed = job.allow_failure
    return JobPlan(
        name=job.name,
        stage=job.stage or DEFAULT_STAGE,
        steps=_steps(job),
        image=job.image,
        services=job.services or (),
        variables=variables,
        artifacts=job.artifacts or (),
        cache=job.cache or (),
        needs=_needs(job, configuration, report),
        dependencies=job.dependencies,
        tags=tuple(dict.fromkeys(expand_existing(tag, known) for tag in job.tags or ())),
        when=when,
        start_in=job.start_in if when == "delayed" else None,
        allow_failure=when == "manual" if allowed is None else allowed.static,
        allow_failure_exit_codes=allowed.exit_codes if allowed else (),
        retry=job.retry or RetryPolicy(),
        timeout=job.timeout,
        manual_confirmation=job.manual_confirmation,
    )


def merge(lower: tuple[Variable, ...], upper: tuple[Variable, ...]) -> tuple[Variable, ...]:
    """Variables with each key once: those of `upper` win, and keep the place of the key they replace."""
    return tuple(({found.key: found for found in lower} | {found.key: found for found in upper}).values())


def _steps(job: JobConfig) -> tuple[Step, ...]:
    """before_script and script are one step, in one shell; after_script is another, and its failure never counts."""
    steps = [Step("script", (*(job.before_script or ()), *(job.script or ())))]
    if job.after_script:
        steps.append(Step("after_script", job.after_script, phase="after_script", when="always", allow_failure=True))
    return tuple(steps)


def _needs(job: JobConfig, configuration: Configuration, report: Report) -> tuple[Need, ...] | None:
    if job.needs is None:
        return None
    if len(job.needs) > MOST_NEEDS:
        message = f"{quoted(job.name)}: one job can only need {MOST_NEEDS} others, but you have listed {len(job.needs)}"
        report.error(job.mark, "too_many_needs", f"{message}. See needs keyword documentation for more details")
    return tuple(Need(need.job, need.artifacts, need.optional) for need in job.needs if need.job in configuration.jobs)
