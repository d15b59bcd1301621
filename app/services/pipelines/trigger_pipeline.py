"""Start a pipeline with a token alone: a trigger's, or that of a running job (gitlab.md B.5)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select

from app import crypto
from app.domain import status
from app.domain.errors import Conflict, InvalidConfiguration, InvalidRequest, NotAllowed, NotFound
from app.domain.plan import Variable
from app.models import Job, Pipeline, PipelineLink, PipelineTrigger, Project, User, write
from app.services import access
from app.services.core import Core
from app.services.locks import lock_project
from app.services.pipelines.create_pipeline import insert_pipeline, require_may_run
from app.services.pipelines.downstream_request import Refused, require_no_circle, require_room
from app.services.pipelines.pipeline_request import PipelineRequest
from app.services.pipelines.prepare_pipeline import prepare_pipeline
from app.services.pipelines.request_for_ref import request_for_ref
from app.services.pipelines.triggers import PREFIX, SHORT
from app.services.projects.job_token_scope import admits

PAYLOAD = "TRIGGER_PAYLOAD"


class JobHasEnded(Conflict):
    """A job's token starts pipelines only while the job runs."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller asks for. `payload`: all that they sent, without the token; jobs get it as a file. `short_token`:
    how the trigger's token begins, once it is known to be one.
    """

    ref: str
    variables: Sequence[Variable] = ()
    inputs: Mapping[str, object] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)
    short_token: str | None = None


def trigger_pipeline(core: Core, project: str, token: str, order: Order) -> Pipeline:
    """A pipeline of `project` (id or full path) for whoever knows `token`.

    A trigger's token acts for its owner, a job's for the user who started the job. Raises NotFound("") for a token that
    opens nothing there, JobHasEnded, InvalidRequest and InvalidConfiguration in GitLab's words.
    """
    trigger = core.session.scalar(select(PipelineTrigger).where(PipelineTrigger.token_hash == crypto.token_hash(token)))
    if trigger is not None:
        return _by_trigger(core, project, trigger, token, order)
    job = core.session.scalar(select(Job).where(Job.token_hash == crypto.token_hash(token)))
    if job is None:
        raise NotFound("")
    return _by_job(core, project, job, order)


def _by_trigger(core: Core, reference: str, trigger: PipelineTrigger, token: str, order: Order) -> Pipeline:
    expired = trigger.expires_at is not None and trigger.expires_at <= core.now()
    if expired or not _is_meant(reference, trigger.project):
        raise NotFound("")
    trigger_id = trigger.id
    with write(core.session):
        held = core.session.get_one(PipelineTrigger, trigger_id)
        held.last_used_at = core.now()
    trigger = core.session.get_one(PipelineTrigger, trigger_id)
    order = replace(order, short_token=token.removeprefix(PREFIX)[:SHORT])
    return _run(core, trigger.project, trigger.owner, order, None)


def _by_job(core: Core, reference: str, job: Job, order: Order) -> Pipeline:
    user = job.user if job.user is not None and not job.user.blocked else None
    if user is None:
        raise NotFound("")
    project = access.find_project(core, reference, user)
    if not admits(core, job, project):
        raise NotFound("Project")
    if job.status not in status.EXECUTING or job.erased_at is not None:
        raise JobHasEnded("Job has to be running")
    try:
        require_no_circle(core, job.pipeline)
        require_room(core, job.pipeline)
    except Refused as refused:
        raise InvalidRequest(str(refused), "base") from None
    return _run(core, project, user, order, job)


def _is_meant(reference: str, project: Project) -> bool:
    return reference.lower() in (str(project.id), project.full_path.lower())


def _run(core: Core, project: Project, user: User | None, order: Order, job: Job | None) -> Pipeline:
    payload = Variable(PAYLOAD, json.dumps(order.payload, ensure_ascii=False), public=False, file=True, raw=True)
    request = _request(core, project, user, replace(order, variables=(*order.variables, payload)), job is not None)
    job_id = job.id if job is not None else None
    prepared = prepare_pipeline(core, request)
    with write(core.session):
        lock_project(core, prepared.request.project.id)
        pipeline = insert_pipeline(core, prepared)
        if pipeline is None:
            raise InvalidConfiguration(prepared.nothing_to_do or "")
        if job_id is not None:
            core.session.add(_link(core, pipeline, job_id))
    return pipeline


def _request(core: Core, project: Project, user: User | None, order: Order, by_job: bool) -> PipelineRequest:
    source = "pipeline" if by_job else "trigger"
    try:
        request = request_for_ref(core, project, order.ref, user, source=source, variables=order.variables)
        require_may_run(core, user, request.project, request.ref, request.tag)
    except (NotAllowed, NotFound):
        raise InvalidRequest("Insufficient permissions to create a new pipeline", "base") from None
    return replace(request, inputs=order.inputs, trigger_short_token=order.short_token)


def _link(core: Core, pipeline: Pipeline, job_id: int) -> PipelineLink:
    source = core.session.scalars(select(Job.pipeline_id).where(Job.id == job_id)).one()
    return PipelineLink(pipeline_id=pipeline.id, source_pipeline_id=source, source_job_id=job_id, child=False)
