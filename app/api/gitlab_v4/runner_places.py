"""Which projects and groups runners serve, and the tokens that runners register with."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities import projects as project_entities
from app.api.gitlab_v4.entities import runners as entities
from app.api.gitlab_v4.errors import forbidden
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Kind, Param
from app.api.gitlab_v4.runners import FILTERS, MANAGE, managed_runner, readable_runner, render_runners, runner_filter
from app.domain.permissions import Action, Role
from app.models import Group, Project
from app.services import access
from app.services.projects.groups import find_group
from app.services.runners import search_runners, share_runner
from app.services.runners.registration_tokens import reset_registration_token

routes = Routes()


@routes.get("/groups/<id>/runners", params=(*FILTERS, *PAGED))
def list_group_runners(call: Call) -> Response:
    """List the runners of a group and of the groups above it"""
    group = find_group(call.core, call.params["id"], call.user, Role.MAINTAINER)
    query = search_runners.group_runners(call.core, group, runner_filter(call))
    return by_number(call, query, render_runners(call))


@routes.get("/runners/<runner_id>/projects", params=PAGED)
def list_runner_projects(call: Call) -> Response:
    """List the projects that a project's runner serves, its own first"""
    seen = access.visible_projects(call.core, call.user).with_only_columns(Project.id)
    query = search_runners.projects_of(managed_runner(call)).where(Project.id.in_(seen))
    return by_number(call, query, lambda rows: project_entities.projects(call.core, rows, call.user, simple=True))


@routes.post("/projects/<id>/runners", params=(Param("runner_id", Kind.INTEGER, required=True),), scopes=MANAGE)
def share(call: Call) -> dict[str, Any]:
    """Let another project's runner take a project's jobs too"""
    project = call.project(Action.ADMIN_RUNNERS)
    try:
        runner = share_runner.share_runner(call.core, managed_runner(call), project)
    except share_runner.NotShareable as error:
        raise forbidden(str(error)) from error
    return entities.runner(call.core, runner, runner.id in search_runners.busy(call.core, [runner.id]).runners)


@routes.delete("/projects/<id>/runners/<runner_id>", scopes=MANAGE)
def unshare(call: Call) -> None:
    """Let a runner of another project take a project's jobs no more"""
    project = call.project(Action.ADMIN_RUNNERS)
    try:
        share_runner.unshare_runner(call.core, readable_runner(call), project)
    except share_runner.NotShareable as error:
        raise forbidden(str(error)) from error


def _reset(call: Call, place: Project | Group | None) -> dict[str, Any]:
    return {"token": reset_registration_token(call.core, place), "token_expires_at": None}


@routes.post("/runners/reset_registration_token")
def reset_instance_registration(call: Call) -> dict[str, Any]:
    """Give the instance a new registration token, shown this once: admins only"""
    if not call.signed_in.is_admin:
        raise forbidden()
    return _reset(call, None)


@routes.post("/projects/<id>/runners/reset_registration_token")
def reset_project_registration(call: Call) -> dict[str, Any]:
    """Give a project a new registration token, shown this once"""
    return _reset(call, call.project(Action.ADMIN_RUNNERS))


@routes.post("/groups/<id>/runners/reset_registration_token")
def reset_group_registration(call: Call) -> dict[str, Any]:
    """Give a group a new registration token, shown this once"""
    return _reset(call, find_group(call.core, call.params["id"], call.user, Role.OWNER))
