"""`environment` of jobs that are part of a pipeline, and of those that stop it (gitlab.md C.2)."""

from dataclasses import replace

from app.dialects.gitlab.configuration import Configuration
from app.dialects.gitlab.report import Report, quoted
from app.dialects.gitlab.variables import Known
from app.domain.delivery import EnvironmentSpec
from app.domain.environments import guess_tier
from app.domain.variables import expand

#: What a name may hold that is known only once the pipeline has a row; it stays as written until then.
LATER = ("CI_PIPELINE_IID", "CI_PIPELINE_NAME", "CI_PIPELINE_CREATED_AT")


def check(configuration: Configuration, report: Report) -> None:
    """Report every `on_stop` that names no job which stops the same environment."""
    for job in configuration.jobs.values():
        spec = job.environment
        if spec is None or spec.on_stop is None:
            continue
        stop = configuration.jobs.get(spec.on_stop)
        problem = None
        if stop is None:
            problem = f"is not defined{report.did_you_mean(spec.on_stop, configuration.jobs)}"
        elif stop.environment is None:
            problem = "does not have environment defined"
        elif stop.environment.name != spec.name:
            problem = "have different environment name"
        elif stop.environment.action != "stop":
            problem = "needs to have action stop defined"
        if problem:
            message = f"{quoted(job.name)} job: on_stop job {quoted(spec.on_stop)} {problem}"
            report.error(job.mark, "bad_on_stop", message)


def predefined(spec: EnvironmentSpec) -> dict[str, str]:
    """What rules see of a job's environment."""
    return {
        "CI_ENVIRONMENT_NAME": spec.name,
        "CI_ENVIRONMENT_ACTION": spec.action,
        "CI_ENVIRONMENT_TIER": spec.deployment_tier or guess_tier(spec.name),
    }


def expanded(spec: EnvironmentSpec | None, known: Known) -> EnvironmentSpec | None:
    """`spec` with its name expanded. Raises what `Known.expanded` raises."""
    if spec is None or ("$" not in spec.name and "%" not in spec.name):
        return spec
    values = {**known.expanded, **{key: f"${{{key}}}" for key in LATER}}
    return replace(spec, name=expand(spec.name, values))
