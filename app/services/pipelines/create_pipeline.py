"""Make a pipeline of one commit: compile its configuration, write its jobs, start those that are ready."""

from functools import partial

from app.domain import plan_json, status
from app.domain.calculated_status import without_jobs
from app.domain.errors import InvalidConfiguration, InvalidRequest
from app.domain.permissions import Action
from app.domain.plan import JobPlan
from app.domain.runner_features import required_features
from app.models import Job, JobStep, Pipeline, Project, User, write
from app.services import access
from app.services.afterwards import afterwards
from app.services.core import Core
from app.services.environments.deployments import add_deployments
from app.services.jobs.resources import group_ids
from app.services.locks import lock_project
from app.services.pipelines.advance_pipeline import advance, announce_pipeline, set_calculated_status
from app.services.pipelines.cancel_redundant import cancel_redundant, replaces_older
from app.services.pipelines.kept_variables import seal_variables
from app.services.pipelines.merge_requests import note_merge_request
from app.services.pipelines.pipeline_request import NO_COMMIT, PipelineRequest
from app.services.pipelines.prepare_pipeline import Prepared, prepare_pipeline
from app.services.pipelines.require_variables import require_variables
from app.services.pipelines.tag_sets import tag_set_ids
from app.services.repositories.protected_refs import may_act_on


def create_pipeline(core: Core, request: PipelineRequest) -> Pipeline | None:
    """Compile and enqueue. A push's broken configuration makes a failed pipeline that says why; `strict` ones raise.

    None: the configuration asks for no pipeline here (never for `strict`). Who may start one is asked before, by
    `require_may_run` or by the push. Raises NotFound("Commit"), InvalidConfiguration.
    """
    prepared = prepare_pipeline(core, request)
    with write(core.session):
        return insert_pipeline(core, prepared)


def run_pipeline(core: Core, request: PipelineRequest) -> Pipeline:
    """`create_pipeline` for somebody who asks for it: checks that `request.user` may, and always makes one.

    Raises NotFound, NotAllowed, InvalidRequest (field "base") and InvalidConfiguration, in GitLab's words (gitlab.md
    B.4).
    """
    require_may_run(core, request.user, request.project, request.ref, request.tag)
    require_variables(core, request.user, request.project, request.variables)
    pipeline = create_pipeline(core, request)
    if pipeline is None:
        raise InvalidConfiguration("Pipeline filtered out by workflow rules.")
    return pipeline


def require_may_run(core: Core, user: User | None, project: Project, ref: str, tag: bool) -> None:
    """Raises unless `user` may start pipelines of this ref: on a protected one they see protected variables."""
    access.require(core, Action.CREATE_PIPELINE, user, project)
    if project.archived:
        raise InvalidRequest("Pipelines are disabled!", "base")
    if not may_act_on(core, user, project, ref, tag):
        raise InvalidRequest(
            f"You do not have sufficient permission to run a pipeline on '{ref}'. "
            "Please select a different branch or contact your administrator for assistance.",
            "base",
        )


def insert_pipeline(core: Core, prepared: Prepared) -> Pipeline | None:
    """*In a write*: the rows of a prepared pipeline; its ready jobs are pending. None where there is nothing to do."""
    if prepared.nothing_to_do:
        return None
    pipeline = _add_pipeline(core, prepared)
    if prepared.plan is None:
        pipeline.status = status.FAILED if prepared.errors else status.SKIPPED
        pipeline.failure_reason = "config_error" if prepared.errors else None
        pipeline.yaml_errors = "\n".join(prepared.errors) or None
        set_calculated_status(pipeline, without_jobs(pipeline.status, pipeline.failure_reason), pipeline.created_at)
        pipeline.finished_at = pipeline.created_at
        core.session.flush()
        announce_pipeline(core, pipeline)
        return pipeline
    _add_jobs(core, pipeline, prepared)
    core.session.flush()
    advance(core, pipeline)
    if replaces_older(core, pipeline):
        pipeline.replaces_older = True
        afterwards(core, partial(cancel_redundant, core, pipeline.id))
    return pipeline


def _add_pipeline(core: Core, prepared: Prepared) -> Pipeline:
    request, now = prepared.request, core.now()
    project = lock_project(core, request.project.id)
    project.last_iid += 1
    pipeline = Pipeline(
        iid=project.last_iid,
        project_id=project.id,
        definition_id=request.definition.id if request.definition else None,
        user_id=request.user.id if request.user else None,
        source_pipeline_id=request.source_pipeline_id,
        name=prepared.plan.name if prepared.plan else None,
        message=request.message,
        ref=request.ref,
        tag=request.tag,
        protected=prepared.protected,
        sha=request.sha,
        before_sha=request.before_sha,
        source=request.source,
        trigger_short_token=request.trigger_short_token,
        status=status.CREATED,
        config_path=prepared.config_path,
        config_text=prepared.config_text,
        yaml_warnings="\n".join(prepared.warnings) or None,
        stages=list(prepared.plan.stages) if prepared.plan else [],
        auto_cancel_on_new_commit=prepared.plan.auto_cancel_on_new_commit if prepared.plan else "none",
        auto_cancel_on_job_failure=prepared.plan.auto_cancel_on_job_failure if prepared.plan else "none",
        commit=prepared.commit,
        created_at=now,
        updated_at=now,
    )
    pipeline.variables_sealed = seal_variables(core, request.variables, pipeline.seal_context)
    core.session.add(pipeline)
    core.session.flush()
    if request.merge_request is not None:
        note_merge_request(core, pipeline, request.merge_request)
    # Before anybody can see the row: from the claim on, a runner fetches this ref.
    if pipeline.sha != NO_COMMIT:
        core.repositories.open(project.id).keep_for_pipeline(pipeline.id, pipeline.sha)
    return pipeline


def _add_jobs(core: Core, pipeline: Pipeline, prepared: Prepared) -> None:
    plan = prepared.plan
    if plan is None:
        return
    tag_sets = tag_set_ids(core, (job.tags for job in plan.jobs))
    groups = group_ids(core, pipeline.project_id, (job.resource_group for job in plan.jobs))
    stages = {stage: place for place, stage in enumerate(plan.stages)}
    default_timeout = prepared.request.project.build_timeout
    rows: list[Job] = []
    for job in plan.jobs:
        row = _job(pipeline, job, stages[job.stage], tag_sets[frozenset(job.tags)])
        row.timeout = job.timeout or default_timeout
        row.resource_group_id = groups[job.resource_group]
        core.session.add(row)
        rows.append(row)
    core.session.flush()
    add_deployments(core, pipeline, rows)


def _job(pipeline: Pipeline, plan: JobPlan, stage_index: int, tag_set_id: int) -> Job:
    return Job(
        project_id=pipeline.project_id,
        pipeline_id=pipeline.id,
        user_id=pipeline.user_id,
        bridge=plan.trigger is not None,
        name=plan.name,
        stage=plan.stage,
        stage_index=stage_index,
        status=status.CREATED,
        when=plan.when,
        allow_failure=plan.allow_failure,
        needs=None if plan.needs is None else [plan_json.to_json(need) for need in plan.needs],
        plan=plan_json.to_json(plan),
        tag_set_id=tag_set_id,
        protected=pipeline.protected,
        required_features=required_features(plan),
        interruptible=plan.interruptible,
        delivers=plan.delivers,
        created_at=pipeline.created_at,
        updated_at=pipeline.created_at,
        steps=[
            JobStep(position=position, name=step.name, phase=step.phase, image=step.image.name if step.image else None)
            for position, step in enumerate(plan.steps)
        ],
    )
