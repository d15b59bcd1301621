"""Pipelines: lists, one pipeline, its variables."""

from dataclasses import fields
from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import READERS, READERS_AND_JOBS, Call, Routes
from app.api.gitlab_v4.entities import pipelines as entities
from app.api.gitlab_v4.errors import forbidden
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action
from app.domain.status import AVAILABLE
from app.services.pipelines import search_pipelines
from app.services.pipelines.search_pipelines import PipelineFilter

routes = Routes()
FILTERS = (
    Param("scope", values=search_pipelines.SCOPES, help="branches and tags: the newest pipeline of each"),
    Param("status", values=AVAILABLE),
    Param("ref"),
    Param("sha"),
    Param("yaml_errors", Kind.BOOLEAN),
    Param("username", help="Who started it"),
    Param("name"),
    Param("source"),
    Param("updated_after", Kind.TIME),
    Param("updated_before", Kind.TIME),
    Param("created_after", Kind.TIME),
    Param("created_before", Kind.TIME),
    Param("order_by", values=search_pipelines.ORDERS, default="id"),
    Param("sort", values=("asc", "desc"), default="desc"),
)


@routes.get("/projects/<id>/pipelines", params=(*FILTERS, *PAGED), callers=READERS_AND_JOBS)
def list_pipelines(call: Call) -> Response:
    """List a project's pipelines"""
    project = call.project(Action.READ_PIPELINE)
    names = {field.name for field in fields(PipelineFilter)}
    wanted = PipelineFilter(**{name: value for name, value in call.params.items() if name in names})
    return by_number(
        call,
        search_pipelines.pipelines(project, wanted),
        lambda rows: [entities.pipeline_listed(call.core, row) for row in rows],
    )


@routes.get("/user/pipelines", params=PAGED)
def list_own_pipelines(call: Call) -> Response:
    """List the pipelines that one started, in all projects"""
    query = search_pipelines.pipelines_of_user(call.core, call.signed_in)
    return by_number(call, query, lambda rows: [entities.pipeline_listed(call.core, row) for row in rows])


@routes.get("/projects/<id>/pipelines/latest", params=(Param("ref", help="The default branch"),), callers=READERS)
def get_latest_pipeline(call: Call) -> dict[str, Any]:
    """Get the newest pipeline of a ref"""
    project = call.project(Action.READ_PIPELINE)
    latest = search_pipelines.latest_pipeline(call.core, project, call.params.get("ref"))
    if latest is None:
        raise forbidden()
    return entities.pipeline(call.core, latest)


@routes.get("/projects/<id>/pipelines/<pipeline_id>", callers=READERS_AND_JOBS)
def get_pipeline(call: Call) -> dict[str, Any]:
    """Get a pipeline"""
    project = call.project(Action.READ_PIPELINE)
    return entities.pipeline(call.core, search_pipelines.find_pipeline(call.core, project, call.params["pipeline_id"]))


@routes.get("/projects/<id>/pipelines/<pipeline_id>/variables")
def list_pipeline_variables(call: Call) -> list[dict[str, Any]]:
    """List the variables that a pipeline was started with"""
    project = call.project(Action.UPDATE_PIPELINE)
    pipeline = search_pipelines.find_pipeline(call.core, project, call.params["pipeline_id"])
    return [
        {"variable_type": "file" if item.file else "env_var", "key": item.key, "value": item.value, "raw": item.raw}
        for item in search_pipelines.given_variables(call.core, pipeline)
    ]
