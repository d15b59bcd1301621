"""Which other projects' job tokens count in a project."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities import groups as group_entities
from app.api.gitlab_v4.entities import projects as project_entities
from app.api.gitlab_v4.pagination import PAGED, of_list
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action
from app.models import Group, Project
from app.services import access
from app.services.projects import job_token_scope as service
from app.services.projects.groups import find_group

routes = Routes()
_SCOPE = "/projects/<id>/job_token_scope"


def _project(call: Call) -> Project:
    return call.project(Action.ADMIN_PROJECT)


@routes.get(_SCOPE)
def get_job_token_scope(call: Call) -> dict[str, bool]:
    """Get whether other projects' job tokens need a grant in a project"""
    return {"inbound_enabled": _project(call).limit_job_tokens, "outbound_enabled": False}


@routes.patch(_SCOPE, params=(Param("enabled", Kind.BOOLEAN, required=True),), status=204)
def update_job_token_scope(call: Call) -> None:
    """Say whether other projects' job tokens need a grant in a project; without, they count as their users"""
    service.limit_job_tokens(call.core, _project(call), call.params["enabled"])


@routes.get(f"{_SCOPE}/allowlist", params=PAGED)
def list_granted_projects(call: Call) -> Response:
    """List the projects whose job tokens count in a project, itself first"""
    rows = service.granted_projects(call.core, _project(call))
    return of_list(call, rows, lambda page: project_entities.projects(call.core, page, call.user, simple=True))


@routes.post(f"{_SCOPE}/allowlist", params=(Param("target_project_id", Kind.INTEGER, required=True),))
def grant_project(call: Call) -> dict[str, Any]:
    """Let another project's job tokens count in a project"""
    project = _project(call)
    source = access.find_project(call.core, call.params["target_project_id"], call.user)
    service.grant(call.core, project, source)
    return {"source_project_id": project.id, "target_project_id": source.id}


@routes.delete(f"{_SCOPE}/allowlist/<target_project_id>")
def revoke_project_grant(call: Call) -> None:
    """Let another project's job tokens count no more"""
    service.revoke_grant(call.core, _project(call), Project, call.params["target_project_id"])


@routes.get(f"{_SCOPE}/groups_allowlist", params=PAGED)
def list_granted_groups(call: Call) -> Response:
    """List the groups whose projects' job tokens count in a project"""
    rows = service.granted_groups(call.core, _project(call))
    return of_list(call, rows, lambda page: [group_entities.group(call.core, row) for row in page])


@routes.post(f"{_SCOPE}/groups_allowlist", params=(Param("target_group_id", Kind.INTEGER, required=True),))
def grant_group(call: Call) -> dict[str, Any]:
    """Let the job tokens of all projects in a group count in a project"""
    project = _project(call)
    source = find_group(call.core, call.params["target_group_id"], call.user)
    service.grant(call.core, project, source)
    return {"source_project_id": project.id, "target_group_id": source.id}


@routes.delete(f"{_SCOPE}/groups_allowlist/<target_group_id>")
def revoke_group_grant(call: Call) -> None:
    """Let the job tokens of a group's projects count no more"""
    service.revoke_grant(call.core, _project(call), Group, call.params["target_group_id"])
