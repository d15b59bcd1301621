"""The variables of a pipeline and of a job, in the order in which later ones win (gitlab.md A.8)."""

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import or_, select

from app.domain import plan_json
from app.domain.errors import LimitExceeded
from app.domain.plan import JobPlan, Variable
from app.domain.variables import CircularReference, sort_and_expand
from app.models import CiVariable, Job, Pipeline, Project, Runner
from app.services.core import Core
from app.services.pipelines import predefined
from app.services.pipelines.definition_variables import definition_variables
from app.services.pipelines.pipeline_request import PipelineRequest


def predefined_for_compiling(
    core: Core, request: PipelineRequest, commit: dict[str, object], protected: bool
) -> list[Variable]:
    """The CI_* variables that are known before a pipeline has a row: `rules` may ask for them."""
    return [
        *predefined.of_project(core, request.project),
        *predefined.of_run(request, commit, protected),
        *predefined.of_user(request.user),
    ]


def settings_variables(core: Core, project: Project, protected: bool) -> list[Variable]:
    """The variables of the instance, of the groups from the top down, and of the project, opened.

    Protected ones only where the ref is `protected`. Those for one environment alone are left out: no job here names
    one.
    """
    groups = [group.id for group in predefined.ancestors(core, project.group)]
    rows = core.session.scalars(
        select(CiVariable)
        .where(
            or_(
                CiVariable.project_id == project.id,
                CiVariable.group_id.in_(groups),
                CiVariable.project_id.is_(None) & CiVariable.group_id.is_(None),
            ),
            CiVariable.environment_scope == "*",
        )
        .order_by(CiVariable.id)
    ).all()
    places = {None: 0} | {group: place for place, group in enumerate(groups, 1)}
    visible = [row for row in rows if protected or not row.protected]
    visible.sort(key=lambda row: len(places) if row.project_id else places[row.group_id])
    return [_opened(core, row) for row in visible]


def _opened(core: Core, row: CiVariable) -> Variable:
    value = core.box.open(row.value_sealed, row.seal_context)
    return Variable(row.key, value, public=False, masked=row.masked, file=row.file, raw=row.raw)


def job_variables(core: Core, job: Job, runner: Runner, token: str) -> list[Variable]:
    """All variables that a runner gets with `job`, expanded as far as the server does (gitlab.md C.13).

    `token` is the job's token in plain text.
    """
    pipeline, plan = job.pipeline, plan_json.from_json(JobPlan, job.plan)
    everything = [
        *predefined.of_pipeline_row(core, pipeline),
        *predefined.of_job_row(core, job, token),
        *predefined.of_job(plan),
        *predefined.of_project(core, job.project),
        *predefined.of_pipeline(pipeline),
        *predefined.of_run(pipeline, pipeline.commit, pipeline.protected),
        *_tag_message(core, pipeline),
        *predefined.of_runner(runner),
        *plan.variables,
        *predefined.of_user(job.user),
        *settings_variables(core, job.project, pipeline.protected),
        *definition_variables(core, job.project_id, pipeline.definition_id),
        *open_variables(core, pipeline.variables_sealed, pipeline.seal_context),
        *open_variables(core, job.variables_sealed, job.seal_context),
    ]
    return expand_for_runner(everything)


def expand_for_runner(variables: Sequence[Variable]) -> list[Variable]:
    """`variables` with what the server can resolve; the rest is left to the runner.

    Settings may have changed since the pipeline was checked: where they now go in circles, nothing is expanded.
    """
    try:
        return sort_and_expand(variables, keep_undefined=True, expand_file_refs=False, expand_raw_refs=False)
    except (CircularReference, LimitExceeded):
        return list(variables)


def seal_variables(core: Core, variables: Iterable[Variable], context: str) -> str | None:
    """Variables as they are kept on a row: sealed JSON, None for none."""
    found = [plan_json.to_json(variable) for variable in variables]
    return core.box.seal(json.dumps(found), context) if found else None


def open_variables(core: Core, sealed: str | None, context: str) -> list[Variable]:
    """What `seal_variables` was given. None of them is public."""
    if sealed is None:
        return []
    return [plan_json.from_json(Variable, found) for found in json.loads(core.box.open(sealed, context))]


def _tag_message(core: Core, pipeline: Pipeline) -> list[Variable]:
    """The message of an annotated tag, which is in no row; empty where the tag is gone."""
    if not pipeline.tag:
        return []
    message = core.repositories.open(pipeline.project_id).tag_message(pipeline.ref)
    return [Variable("CI_COMMIT_TAG_MESSAGE", message, raw=True)]
