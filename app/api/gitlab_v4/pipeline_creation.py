"""Starting pipelines, and checking their configuration."""

from typing import Any

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities import pipelines as entities
from app.api.gitlab_v4.errors import BadParams
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action
from app.domain.plan import Variable
from app.domain.variables import valid_key
from app.services.pipelines import search_pipelines
from app.services.pipelines.create_pipeline import run_pipeline
from app.services.pipelines.request_for_ref import request_for_ref

routes = Routes()
VARIABLES = Param(
    "variables",
    Kind.OBJECTS,
    default=(),
    fields=(
        Param("key", required=True),
        Param("value", required=True),
        Param("variable_type", values=("env_var", "file"), default="env_var"),
    ),
    help="Variables of this pipeline, on top of the project's",
)


INPUTS = Param("inputs", Kind.VALUES, help="Values that the configuration asks for by name")


@routes.post("/projects/<id>/pipeline", params=(Param("ref", required=True, blank=False), VARIABLES, INPUTS))
def create_pipeline(call: Call) -> dict[str, Any]:
    """Start a pipeline of a branch or tag"""
    project = call.project(Action.CREATE_PIPELINE)
    request = request_for_ref(
        call.core,
        project,
        call.params["ref"],
        call.user,
        variables=_variables(call.params["variables"]),
        inputs=call.params.get("inputs"),
    )
    pipeline = run_pipeline(call.core, request)
    return entities.pipeline(call.core, search_pipelines.find_pipeline(call.core, pipeline.project, pipeline.id))


def _variables(given: list[dict[str, str]]) -> list[Variable]:
    for index, item in enumerate(given):
        if not valid_key(item["key"]):
            raise BadParams(f"variables[{index}][key] is invalid")
    return [Variable(item["key"], item["value"], public=False, file=item["variable_type"] == "file") for item in given]
