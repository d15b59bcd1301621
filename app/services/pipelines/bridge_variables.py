"""The variables of a trigger job, which no runner gets: for its own texts, and for the pipeline that it starts."""

from app.domain import plan_json
from app.domain.plan import JobPlan, Trigger, Variable
from app.domain.variables import expand, expand_existing, sort_and_expand
from app.models import Job
from app.services.core import Core
from app.services.pipelines import predefined
from app.services.pipelines.kept_variables import open_variables, settings_variables
from app.services.pipelines.merge_request_variables import of_merge_request
from app.services.pipelines.merge_requests import merge_request_of


def values_of(core: Core, job: Job) -> dict[str, str]:
    """Key → expanded value, as `job_variables` orders them, without what only a runner's job has.

    References to file variables stay as written: they are paths on a runner. Raises CircularReference, LimitExceeded.
    """
    pipeline, plan = job.pipeline, plan_json.from_json(JobPlan, job.plan)
    everything = [
        *predefined.of_pipeline_row(core, pipeline),
        Variable("CI_JOB_ID", str(job.id)),
        *predefined.of_job(plan),
        *predefined.of_project(core, job.project),
        *predefined.of_pipeline(pipeline),
        *predefined.of_run(pipeline, pipeline.commit, pipeline.protected),
        *of_merge_request(core, job.project, merge_request_of(core, pipeline)),
        *plan.variables,
        *predefined.of_user(job.user),
        *settings_variables(core, job.project, pipeline.protected),
        *open_variables(core, pipeline.variables_sealed, pipeline.seal_context),
        *open_variables(core, job.variables_sealed, job.seal_context),
    ]
    expanded = sort_and_expand(everything, keep_undefined=True, expand_file_refs=False)
    return {variable.key: variable.value for variable in expanded if not variable.file}


def forwarded(core: Core, job: Job, trigger: Trigger, values: dict[str, str]) -> tuple[Variable, ...]:
    """What the pipeline that `job` starts is given (gitlab.md C.9): the job's own variables with `values` filled in,
    and those that its pipeline was started with, where the trigger forwards them. The latter win.
    """
    found: dict[str, Variable] = {}
    if trigger.forward_yaml_variables:
        plan = plan_json.from_json(JobPlan, job.plan)
        own = (*plan.variables, *open_variables(core, job.variables_sealed, job.seal_context))
        found |= {one.key: _private(one.key, _filled(one, values), one.file, one.raw) for one in own}
    if trigger.forward_pipeline_variables:
        given = open_variables(core, job.pipeline.variables_sealed, job.pipeline.seal_context)
        found |= {one.key: one for one in given}
    return tuple(found.values())


def filled_in(value: object, values: dict[str, str]) -> object:
    """`value`, an input, with variables in its texts replaced, also in those of lists and mappings."""
    if isinstance(value, str):
        return expand(value, values)
    if isinstance(value, list):
        return [filled_in(item, values) for item in value]
    if isinstance(value, dict):
        return {key: filled_in(item, values) for key, item in value.items()}
    return value


def _filled(variable: Variable, values: dict[str, str]) -> str:
    return variable.value if variable.raw else expand_existing(variable.value, values)


def _private(key: str, value: str, file: bool, raw: bool) -> Variable:
    return Variable(key, value, public=False, file=file, raw=raw)
