"""Trigger tokens, and starting pipelines with one (gitlab.md B.5)."""

from typing import Any

from flask import Response, g, request

from app.api.gitlab_v4.endpoint import READERS, Call, Routes
from app.api.gitlab_v4.entities import pipelines as entities
from app.api.gitlab_v4.entities.triggers import trigger
from app.api.gitlab_v4.errors import BadParams, forbidden, message
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action
from app.domain.plan import Variable
from app.domain.variables import valid_key
from app.models import PipelineTrigger
from app.services.pipelines import search_pipelines, triggers
from app.services.pipelines.trigger_pipeline import JobHasEnded, Order, trigger_pipeline

routes = Routes()
#: What the caller's own payload does not show.
_SECRET = ("token", "private_token", "access_token", "job_token")


@routes.post(
    "/projects/<id>/trigger/pipeline",
    "/projects/<id>/ref/<path:ref>/trigger/pipeline",
    params=(
        Param("ref", required=True, blank=False),
        Param("token", required=True, help="A trigger's token, or that of a running job"),
        Param("variables", Kind.ANY_OBJECT, default={}, help="Variables of this pipeline: names and texts"),
        Param("inputs", Kind.VALUES, default={}, help="Values that the configuration asks for by name"),
    ),
    callers=READERS,
)
def run_trigger(call: Call) -> dict[str, Any]:
    """Start a pipeline with a trigger's token, or with the token of a running job"""
    if request.headers.get("X-Gitlab-Event") == "Pipeline Hook":  # a pipeline that starts itself for ever
        raise forbidden()
    payload = {key: value for key, value in g.given.items() if key not in _SECRET}
    order = Order(call.params["ref"], _variables(call.params["variables"]), call.params["inputs"], payload)
    try:
        pipeline = trigger_pipeline(call.core, call.params["id"], call.params["token"], order)
    except JobHasEnded as error:
        raise message(400, f"400 {error}") from error
    return entities.pipeline(call.core, search_pipelines.find_pipeline(call.core, pipeline.project, pipeline.id))


def _variables(given: dict[str, Any]) -> list[Variable]:
    if not all(isinstance(value, str) for value in given.values()):
        raise message(400, "variables needs to be a map of key-valued strings")
    for key in given:
        if not valid_key(key):
            raise BadParams(f"variables[{key}] is invalid")
    return [Variable(key, value, public=False) for key, value in given.items()]


def _found(call: Call) -> PipelineTrigger:
    return triggers.find_trigger(call.core, call.project(Action.ADMIN_TRIGGERS), call.params["trigger_id"])


@routes.get("/projects/<id>/triggers", params=PAGED)
def list_triggers(call: Call) -> Response:
    """List a project's triggers"""
    query = triggers.project_triggers(call.project(Action.ADMIN_TRIGGERS))
    return by_number(call, query, lambda rows: [trigger(call.core, row, call.user) for row in rows])


@routes.get("/projects/<id>/triggers/<trigger_id>")
def get_trigger(call: Call) -> dict[str, Any]:
    """Get a trigger"""
    return trigger(call.core, _found(call), call.user)


@routes.post("/projects/<id>/triggers", params=(Param("description", required=True), Param("expires_at", Kind.TIME)))
def create_trigger(call: Call) -> dict[str, Any]:
    """Make a trigger, which acts for its maker"""
    project = call.project(Action.ADMIN_TRIGGERS)
    expires_at = call.params.get("expires_at")
    made = triggers.add_trigger(call.core, project, call.signed_in, call.params["description"], expires_at)
    return trigger(call.core, made, call.user)


@routes.put("/projects/<id>/triggers/<trigger_id>", params=(Param("description"),))
def update_trigger(call: Call) -> dict[str, Any]:
    """Describe one's own trigger anew"""
    changed = triggers.change_trigger(call.core, _found(call), call.signed_in, call.params.get("description"))
    return trigger(call.core, changed, call.user)


@routes.delete("/projects/<id>/triggers/<trigger_id>")
def delete_trigger(call: Call) -> None:
    """Remove a trigger; its token starts nothing any more"""
    triggers.remove_trigger(call.core, _found(call))
