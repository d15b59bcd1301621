"""Workflows: list and one."""

from typing import Any

from app.api.wercker_v3 import lookup
from app.api.wercker_v3.endpoint import Call, Routes
from app.api.wercker_v3.entities import workflows as entities
from app.api.wercker_v3.paging import paged
from app.api.wercker_v3.params import Kind, Param
from app.api.wercker_v3.runs import SORT
from app.domain.errors import NotFound
from app.domain.object_ids import Kind as IdKind
from app.domain.permissions import Action
from app.services.runs import pipeline_chains

routes = Routes()


@routes.get("/workflows", params=(Param("applicationId", Kind.ID, required=True), SORT, *paged(20, 10)), everyone=True)
def list_workflows(call: Call) -> list[dict[str, Any]]:
    """List the workflows of an application"""
    given = call.params
    project = lookup.project(call, given["applicationId"], Action.READ_PIPELINE)
    query = pipeline_chains.roots(project, oldest_first=given["sort"] == "creationDateAsc")
    rows = call.core.session.scalars(query.limit(given["limit"]).offset(given["skip"])).all()
    return entities.workflows(call.core, rows)


@routes.get("/workflows/<workflow_id>", everyone=True)
def get_workflow(call: Call) -> dict[str, Any]:
    """Get a workflow"""
    identity = call.params["workflow_id"]
    root = lookup.pipeline(call, identity, Action.READ_PIPELINE, IdKind.CHAIN, "Workflow")
    if root.source_pipeline_id is not None:
        raise NotFound("Workflow")
    return entities.workflow(call.core, root)
