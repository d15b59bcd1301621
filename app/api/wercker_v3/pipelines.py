"""Pipelines: one, and making one."""

from typing import Any

from app.api.wercker_v3 import lookup
from app.api.wercker_v3.endpoint import Call, Routes
from app.api.wercker_v3.entities.pipelines import pipeline
from app.api.wercker_v3.errors import detail, invalid
from app.api.wercker_v3.params import Kind, Param
from app.domain.permissions import Action
from app.services.runs.definitions import add_definition, is_configuration_path

routes = Routes()
#: What is taken and has no effect: the project decides who may see its pipelines, and where their statuses are shown.
_DECIDED_ELSEWHERE = (
    Param("permissions"),
    Param("setScmProviderStatus", Kind.BOOLEAN),
    Param("type", values=("git", "pipeline")),
)


@routes.get("/pipelines/<pipeline_id>", everyone=True)
def get_pipeline(call: Call) -> dict[str, Any]:
    """Get a pipeline"""
    row = lookup.definition(call, call.params["pipeline_id"], Action.READ_PIPELINE)
    return pipeline(call.core, row, row.project)


@routes.post(
    "/pipelines",
    params=(
        Param("application", Kind.ID, required=True),
        Param("name", required=True),
        Param("pipelineName"),
        Param("ymlPipeline"),
        *_DECIDED_ELSEWHERE,
    ),
)
def create_pipeline(call: Call) -> dict[str, Any]:
    """Make a pipeline, which runs the application's configuration, or the file that pipelineName names"""
    project = lookup.project(call, call.params["application"], Action.ADMIN_PROJECT)
    row = add_definition(call.core, project, call.signed_in, call.params["name"], _configuration(call))
    return pipeline(call.core, row, project)


def _configuration(call: Call) -> str | None:
    """The path of the file to run; None: the project's own."""
    for name in ("ymlPipeline", "pipelineName"):
        said = call.params.get(name)
        if said is None or said == call.params["name"]:
            continue
        if is_configuration_path(said):
            return str(said)
        problem = "must be the name of the pipeline, or the path of a file that ends in .yml, .yaml or .json"
        raise invalid([detail(name, "any.invalid", problem)])
    return None
