"""Resource groups: jobs of which one runs at a time (gitlab.md C.11)."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities import jobs
from app.api.gitlab_v4.entities.resource_groups import resource_group
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Param
from app.domain.permissions import Action
from app.domain.resource_groups import PROCESS_MODES
from app.models import ResourceGroup
from app.services.projects import resource_groups

routes = Routes()


def _found(call: Call) -> ResourceGroup:
    return resource_groups.find_group(call.core, call.project(Action.READ_JOB), call.params["key"])


@routes.get("/projects/<id>/resource_groups", params=PAGED)
def list_resource_groups(call: Call) -> Response:
    """List a project's resource groups"""
    query = resource_groups.project_groups(call.project(Action.READ_JOB))
    return by_number(call, query, lambda rows: [resource_group(row) for row in rows])


@routes.get("/projects/<id>/resource_groups/<key>")
def get_resource_group(call: Call) -> dict[str, Any]:
    """Get a resource group"""
    return resource_group(_found(call))


@routes.put(
    "/projects/<id>/resource_groups/<key>",
    params=(Param("process_mode", values=PROCESS_MODES, help="Whose turn it is when the resource is free"),),
)
def update_resource_group(call: Call) -> dict[str, Any]:
    """Change whose turn it is in a resource group"""
    found = _found(call)
    mode = call.params.get("process_mode", found.process_mode)
    return resource_group(resource_groups.change_process_mode(call.core, found, call.user, mode))


@routes.get("/projects/<id>/resource_groups/<key>/current_job")
def get_current_job(call: Call) -> dict[str, Any]:
    """Get the job that holds the resource of a group"""
    return jobs.job(call.core, resource_groups.current_job(call.core, _found(call)))


@routes.get("/projects/<id>/resource_groups/<key>/upcoming_jobs", params=PAGED)
def list_upcoming_jobs(call: Call) -> Response:
    """List the jobs that wait for the resource of a group, the next one first"""
    query = resource_groups.upcoming_jobs(_found(call))
    return by_number(call, query, lambda rows: jobs.jobs(call.core, rows))
