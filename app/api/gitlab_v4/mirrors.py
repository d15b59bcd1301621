"""Fetching a mirrored project, and how that stands."""

from typing import Any

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities.mirrors import pull_mirror
from app.api.gitlab_v4.errors import message
from app.domain.permissions import Action
from app.models import Project
from app.services.repositories.request_fetch import fetch_state, request_fetch

routes = Routes()


@routes.get("/projects/<id>/mirror/pull")
def get_pull_mirror(call: Call) -> dict[str, Any]:
    """Get where a mirrored project is fetched from, and how that went"""
    project = _mirror(call)
    return pull_mirror(call.core, project, fetch_state(call.core, project))


@routes.post("/projects/<id>/mirror/pull", status=200)
def start_pull_mirror(call: Call) -> int:
    """Have a mirrored project fetched soon; what moved makes pipelines"""
    request_fetch(call.core, _mirror(call), call.signed_in)
    return 200


def _mirror(call: Call) -> Project:
    project = call.project(Action.ADMIN_PROJECT)
    if project.repository != "mirrored":
        raise message(400, "The project is not mirrored")
    return project
