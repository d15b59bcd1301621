"""Steps of a run, and what each of them printed."""

from typing import Any

from flask import Response

from app.api.wercker_v3 import lookup
from app.api.wercker_v3.endpoint import Call, Routes
from app.api.wercker_v3.entities import steps as entities
from app.domain.errors import NotFound
from app.domain.object_ids import Kind, decode
from app.domain.permissions import Action
from app.models import JobStep, Pipeline
from app.services.jobs.read_trace import require_trace
from app.services.runs.run_steps import find_step, open_log, steps_of

routes = Routes()


@routes.get("/runs/<run_id>/steps", everyone=True)
def list_steps(call: Call) -> list[dict[str, Any]]:
    """List the steps of a run"""
    return _steps(call, lookup.pipeline(call, call.params["run_id"], Action.READ_JOB))


def _steps(call: Call, row: Pipeline) -> list[dict[str, Any]]:
    if row.yaml_errors is not None:
        return [entities.configuration(call.core, row)]
    return entities.steps(call.core, steps_of(call.core, row))


@routes.get("/runsteps/<step_id>", everyone=True)
def get_step(call: Call) -> dict[str, Any]:
    """Get a step"""
    found = _find(call)
    row = found.job.pipeline if isinstance(found, JobStep) else found
    identity = call.params["step_id"]
    shown = next((step for step in _steps(call, row) if step["id"] == identity), None)
    if shown is None:  # of a job that was retried
        raise NotFound("Step")
    return shown


@routes.get("/runsteps/<step_id>/log", everyone=True)
def get_step_log(call: Call) -> Response:
    """Get what a step printed"""
    found = _find(call)
    if isinstance(found, Pipeline):
        return _plain(Response((found.yaml_errors or "") + "\n"))
    require_trace(call.core, found.job, call.user)
    trace = open_log(call.core, found)
    response = Response(iter(trace))
    response.call_on_close(trace.close)
    response.content_length = trace.size
    return _plain(response)


def _find(call: Call) -> JobStep | Pipeline:
    """The step, or the pipeline whose configuration the id is about. Raises NotFound, NotAllowed."""
    identity = call.params["step_id"]
    parts = decode(identity)
    if parts is not None and parts.kind == Kind.CONFIGURATION:
        pipeline = lookup.pipeline(call, identity, Action.READ_JOB, Kind.CONFIGURATION, "Step")
        if pipeline.yaml_errors is None:
            raise NotFound("Step")
        return pipeline
    row = find_step(call.core, lookup.parts(identity, Kind.STEP, "Step").key)
    if row is None or parts is None or not parts.names(Kind.STEP, row.job.created_at):
        raise NotFound("Step")
    lookup.require(call, row.job.project, Action.READ_JOB, "Step")
    return row


def _plain(response: Response) -> Response:
    response.content_type = "text/plain; charset=utf-8"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
