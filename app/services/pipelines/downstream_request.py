"""From a trigger job to the request for the pipeline that it starts, or the reason why it starts none (gitlab.md C.9).

Who may is decided here, deny first: the user who started the job counts, in both projects.
"""

import json
from collections import Counter
from dataclasses import replace

from sqlalchemy import func, select

from app.domain import failure, plan_json
from app.domain.errors import InvalidRequest, NotAllowed, NotFound, SkerryError
from app.domain.permissions import Action
from app.domain.plan import Trigger
from app.domain.variables import expand
from app.models import Job, Pipeline, Project
from app.services import access
from app.services.core import Core
from app.services.pipelines.bridge_variables import filled_in, forwarded, values_of
from app.services.pipelines.create_pipeline import require_may_run
from app.services.pipelines.generated_configuration import read_generated
from app.services.pipelines.merge_requests import merge_request_of
from app.services.pipelines.pipeline_links import hierarchy_size, upstreams
from app.services.pipelines.pipeline_request import GivenConfiguration, PipelineRequest
from app.services.pipelines.request_for_ref import request_for_ref

#: A child of a child is as deep as it goes.
MOST_PARENTS = 2
#: How many pipelines may hang together.
MOST_IN_HIERARCHY = 1000
#: The same pipeline may come again once among those that led to a new one, but no more often.
MOST_ROUNDS = 2
#: What the configuration of a child is called in messages. A file of that name could not be included.
CHILD_PATH = "trigger:include.yml"


class Refused(SkerryError):
    """The job starts nothing: it fails with `reason` (`domain.failure`)."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or failure.explain(reason).sentence)
        self.reason = reason


def trigger_of(job: Job) -> Trigger:
    """What the trigger job `job` is to do."""
    return plan_json.from_json(Trigger, job.plan.get("trigger") or {})


def downstream_request(core: Core, job: Job) -> PipelineRequest:
    """The pipeline that `job` starts. A mirrored project is fetched first. A configuration that does not compile shall
    be kept as a failed pipeline.

    Raises Refused, and SkerryError where the request cannot be made for another reason.
    """
    trigger, values = trigger_of(job), values_of(core, job)
    if trigger.configuration is not None:
        return _child(core, job, trigger, values)
    return _downstream(core, job, trigger, values)


def project_at(core: Core, job: Job, path: str, reason: str) -> Project:
    """The project at `path`, which the user of `job` has to be able to see. Raises Refused(reason)."""
    project = core.session.scalar(select(Project).where(func.lower(Project.full_path) == path.lower()))
    if project is None or job.user is None or not access.may(core, Action.READ_PROJECT, job.user, project):
        raise Refused(reason)
    return project


def _child(core: Core, job: Job, trigger: Trigger, values: dict[str, str]) -> PipelineRequest:
    """Of the same commit, with a configuration of its own.

    Nobody is asked for where nobody started the parent (a mirror was fetched): it is that pipeline's commit again.
    """
    parent = job.pipeline
    if job.user is not None or parent.user is not None:
        _require_may_run(core, job, job.project, parent.ref, parent.tag)
    if len(upstreams(core, parent, parents_only=True)) >= MOST_PARENTS:
        raise Refused(failure.REACHED_MAX_DESCENDANT_PIPELINES_DEPTH)
    require_room(core, parent)
    files = read_generated(core, job, trigger.generated, values)
    return PipelineRequest(
        project=job.project,
        ref=parent.ref,
        tag=parent.tag,
        sha=parent.sha,
        before_sha=parent.before_sha,
        user=job.user,
        source="parent_pipeline",
        variables=forwarded(core, job, trigger, values),
        configuration=GivenConfiguration(CHILD_PATH, trigger.configuration or "", files),
        message=parent.message,
        merge_request=merge_request_of(core, parent),
    )


def _downstream(core: Core, job: Job, trigger: Trigger, values: dict[str, str]) -> PipelineRequest:
    """Of another project, as it is now."""
    path = expand(trigger.project or "", values).strip()
    if not path:
        raise Refused(failure.DOWNSTREAM_PROJECT_TRIGGER_RESOLVED_TO_EMPTY)
    project = project_at(core, job, path, failure.DOWNSTREAM_BRIDGE_PROJECT_NOT_FOUND)
    if project.id == job.project_id:
        raise Refused(failure.INVALID_BRIDGE_TRIGGER)
    require_no_circle(core, job.pipeline)
    ref = expand(trigger.branch or "", values) or project.default_branch
    try:
        request = request_for_ref(
            core,
            project,
            ref,
            job.user,
            source="pipeline",
            variables=forwarded(core, job, trigger, values),
            strict=False,
        )
    except NotAllowed:
        raise Refused(failure.INSUFFICIENT_BRIDGE_PERMISSIONS) from None
    _require_may_run(core, job, project, request.ref, request.tag)
    require_room(core, job.pipeline)
    inputs = filled_in(json.loads(trigger.inputs), values)
    return replace(request, inputs=inputs if isinstance(inputs, dict) else {})


def _require_may_run(core: Core, job: Job, project: Project, ref: str, tag: bool) -> None:
    """The user has to be allowed to move jobs here, and to run pipelines of that ref there. Raises Refused."""
    if not access.may(core, Action.UPDATE_PIPELINE, job.user, job.project):
        raise Refused(failure.INSUFFICIENT_BRIDGE_PERMISSIONS)
    try:
        require_may_run(core, job.user, project, ref, tag)
    except (NotFound, NotAllowed, InvalidRequest) as error:
        raise Refused(failure.INSUFFICIENT_BRIDGE_PERMISSIONS, str(error)) from None


def require_no_circle(core: Core, pipeline: Pipeline) -> None:
    """Projects that start each other do so once again, not for ever. Raises Refused."""
    led_here = [pipeline, *upstreams(core, pipeline)]
    rounds = Counter((one.project_id, one.ref, one.source) for one in led_here if one.source != "parent_pipeline")
    if max(rounds.values(), default=0) > MOST_ROUNDS:
        raise Refused(failure.PIPELINE_LOOP_DETECTED)


def require_room(core: Core, pipeline: Pipeline) -> None:
    if hierarchy_size(core, pipeline, MOST_IN_HIERARCHY) >= MOST_IN_HIERARCHY:
        raise Refused(failure.REACHED_MAX_PIPELINE_HIERARCHY_SIZE)
