"""The variables of a pipeline and of a job, in the order in which later ones win (gitlab.md A.8)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.domain import plan_json
from app.domain.errors import LimitExceeded
from app.domain.plan import JobPlan, Variable
from app.domain.variables import CircularReference, sort_and_expand
from app.models import Job, Pipeline, PipelineSchedule, Runner, ScheduleRun
from app.services.core import Core
from app.services.environments.job_environment import environment_of, variables_after, variables_before
from app.services.identity.id_tokens import id_token_variables
from app.services.pipelines import predefined
from app.services.pipelines.definition_variables import definition_variables
from app.services.pipelines.kept_variables import open_variables, settings_variables
from app.services.pipelines.merge_request_variables import of_merge_request
from app.services.pipelines.merge_requests import merge_request_of
from app.services.pipelines.pipeline_request import PipelineRequest
from app.services.reports.dotenv_variables import inherited_variables
from app.services.runners import dependencies


def predefined_for_compiling(
    core: Core, request: PipelineRequest, commit: dict[str, object], protected: bool
) -> list[Variable]:
    """The CI_* variables that are known before a pipeline has a row: `rules` may ask for them."""
    return [
        *predefined.of_project(core, request.project),
        *predefined.of_run(request, commit, protected),
        *of_merge_request(core, request.project, request.merge_request),
        *_tag_message(core, request.project.id, request.ref, request.tag),
        *predefined.of_schedule(request.schedule_description),
        *predefined.of_user(request.user),
    ]


def raw_keys(*layers: Iterable[Variable]) -> frozenset[str]:
    """The keys whose values are never expanded; later layers and variables win."""
    raw = {variable.key: variable.raw for layer in layers for variable in layer}
    return frozenset(key for key, is_raw in raw.items() if is_raw)


@dataclass(frozen=True, slots=True)
class Known:
    """What the caller knows of a job already: its plan; the jobs whose artifacts it gets; whether its pipeline is of a
    merge request, and whether there are variables of definitions at all, else neither is looked for.
    """

    plan: JobPlan
    given_by: Sequence[Job]
    of_merge_request: bool = True
    of_definition: bool = True


def job_variables(
    core: Core, job: Job, runner: Runner | None, token: str, known: Known | None = None
) -> list[Variable]:
    """All variables that a runner gets with `job`, expanded as far as the server does (gitlab.md C.13).

    `token` is the job's token in plain text; without one it cannot prove anything else either.
    """
    known = known or Known(plan_json.from_json(JobPlan, job.plan), dependencies.jobs_of(core, job))
    pipeline, plan = job.pipeline, known.plan
    of = merge_request_of(core, pipeline) if known.of_merge_request else None
    environment = environment_of(core, job)
    everything = [
        *predefined.of_pipeline_row(core, pipeline),
        *predefined.of_job_row(core, job, token),
        *predefined.of_job(plan),
        *predefined.of_project(core, job.project),
        *predefined.of_pipeline(pipeline),
        *predefined.of_run(pipeline, pipeline.commit, pipeline.protected),
        *of_merge_request(core, job.project, of),
        *predefined.of_schedule(_schedule_description(core, pipeline)),
        *_tag_message(core, pipeline.project_id, pipeline.ref, pipeline.tag),
        *(predefined.of_runner(runner) if runner else ()),
        *variables_before(environment, plan.environment),
        *plan.variables,
        *predefined.of_user(job.user),
        *inherited_variables(core, known.given_by),
        *settings_variables(core, job.project, pipeline.protected, environment.name if environment else None),
        *(definition_variables(core, job.project_id, pipeline.definition_id) if known.of_definition else ()),
        *open_variables(core, pipeline.variables_sealed, pipeline.seal_context),
        *open_variables(core, job.variables_sealed, job.seal_context),
        *variables_after(environment, plan.environment),
    ]
    proofs = id_token_variables(core, job, plan, environment, everything) if token else ()
    return expand_for_runner([*proofs, *everything])


def expand_for_runner(variables: Sequence[Variable]) -> list[Variable]:
    """`variables` with what the server can resolve; the rest is left to the runner.

    Settings may have changed since the pipeline was checked: where they now go in circles, nothing is expanded.
    """
    try:
        return sort_and_expand(variables, keep_undefined=True, expand_file_refs=False, expand_raw_refs=False)
    except (CircularReference, LimitExceeded):
        return list(variables)


def _schedule_description(core: Core, pipeline: Pipeline) -> str | None:
    """The description, as it is now, of the schedule that made the pipeline."""
    if pipeline.source != "schedule":
        return None
    made = select(ScheduleRun.schedule_id).where(ScheduleRun.pipeline_id == pipeline.id).scalar_subquery()
    return core.session.scalar(select(PipelineSchedule.description).where(PipelineSchedule.id == made))


def _tag_message(core: Core, project_id: int, ref: str, tag: bool) -> list[Variable]:
    """The message of an annotated tag, which is in no row; empty where the tag is gone."""
    if not tag:
        return []
    message = core.repositories.open(project_id).tag_message(ref)
    return [Variable("CI_COMMIT_TAG_MESSAGE", message, raw=True)]
