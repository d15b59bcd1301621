"""Making runners."""

from typing import Any

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.errors import BadParams, forbidden, not_found
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action, Role
from app.models import Group, Project
from app.services import access
from app.services.runners.create_runner import ACCESS_LEVELS, RUNNER_TYPES, create_runner

routes = Routes()
_COPIED = ("description", "maintenance_note", "paused", "locked", "access_level", "run_untagged", "maximum_timeout")


@routes.post(
    "/user/runners",
    scopes=("api", "create_runner"),
    params=(
        Param("runner_type", required=True, values=RUNNER_TYPES),
        Param("group_id", Kind.INTEGER, help="Of a group_type runner"),
        Param("project_id", Kind.INTEGER, help="Of a project_type runner"),
        Param("description"),
        Param("maintenance_note"),
        Param("paused", Kind.BOOLEAN),
        Param("locked", Kind.BOOLEAN),
        Param("access_level", values=ACCESS_LEVELS),
        Param("run_untagged", Kind.BOOLEAN),
        Param("tag_list", Kind.LIST, default=()),
        Param("maximum_timeout", Kind.INTEGER, help="Seconds, at least 600"),
    ),
)
def create_user_runner(call: Call) -> dict[str, Any]:
    """Make a runner; its token is shown this once"""
    kind = call.params["runner_type"]
    group = _group(call) if kind == "group_type" else None
    project = _project(call) if kind == "project_type" else None
    if kind == "instance_type" and not call.signed_in.is_admin:
        raise forbidden()
    given = {name: call.params[name] for name in _COPIED if name in call.params}
    runner, plain = create_runner(
        call.core,
        runner_type=kind,
        tags=call.params["tag_list"],
        group=group,
        project=project,
        creator=call.user,
        **given,
    )
    return {"id": runner.id, "token": plain, "token_expires_at": None}


def _project(call: Call) -> Project:
    if "project_id" not in call.params:
        raise BadParams("project_id is missing")
    project = access.find_project(call.core, call.params["project_id"], call.user)
    access.require(call.core, Action.ADMIN_RUNNERS, call.user, project)
    return project


def _group(call: Call) -> Group:
    if "group_id" not in call.params:
        raise BadParams("group_id is missing")
    group = call.core.session.get(Group, call.params["group_id"])
    if group is None:
        raise not_found("Group")
    if not call.signed_in.is_admin and group.id not in access.managed_groups(call.core, call.signed_in, Role.OWNER):
        raise forbidden()
    return group
