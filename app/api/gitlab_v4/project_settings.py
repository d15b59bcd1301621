"""Changing, archiving and removing projects (gitlab.md B.9)."""

from collections.abc import Mapping
from typing import Any

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities import projects as entities
from app.api.gitlab_v4.errors import ApiError, BadParams
from app.api.gitlab_v4.params import Kind, Param
from app.domain.errors import InvalidRequest
from app.domain.permissions import Action, Visibility
from app.domain.variables_role import MINIMUMS
from app.models import Project
from app.services.projects.change_project import change_project
from app.services.projects.delete_project import delete_project

routes = Routes()
CANCEL = "auto_cancel_pending_pipelines"
RESTRICT = "restrict_user_defined_variables"
#: What callers call a setting, and its column.
COLUMNS: Mapping[str, str] = {
    "name": "name",
    "path": "path",
    "description": "description",
    "visibility": "visibility",
    "default_branch": "default_branch",
    "ci_config_path": "config_path",
    "build_timeout": "build_timeout",
    "build_git_strategy": "git_strategy",
    "ci_default_git_depth": "git_depth",
    "public_jobs": "public_jobs",
    "public_builds": "public_jobs",
    "shared_runners_enabled": "instance_runners",
    "ci_pipeline_variables_minimum_override_role": "variables_role",
    CANCEL: CANCEL,
}
_PUBLIC_NAMES = {column: name for name, column in COLUMNS.items()}
SETTINGS = (
    Param("name", blank=False),
    Param("path", blank=False, help="The last part of its address"),
    Param("description"),
    Param("visibility", values=tuple(Visibility)),
    Param("default_branch", blank=False),
    Param("ci_config_path", help="Where the configuration lies in the repository"),
    Param("build_timeout", Kind.INTEGER, help="Seconds, at least 600"),
    Param("build_git_strategy", values=("fetch", "clone")),
    Param("ci_default_git_depth", Kind.INTEGER, help="0: the whole history"),
    Param("public_jobs", Kind.BOOLEAN, help="Whoever sees the project sees its pipelines"),
    Param("public_builds", Kind.BOOLEAN, help="The same as public_jobs"),
    Param("shared_runners_enabled", Kind.BOOLEAN),
    Param(
        "ci_pipeline_variables_minimum_override_role", values=tuple(MINIMUMS), help="Who may give a pipeline variables"
    ),
    Param(
        CANCEL,
        values=("enabled", "disabled"),
        help="Whether a newer commit cancels older pipelines of its branch or tag",
    ),
    Param(RESTRICT, Kind.BOOLEAN, help="True: maintainers; false: developers"),
)


def changed_columns(project: Project, params: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of `project` that a caller's parameters set."""
    values = {column: params[name] for name, column in COLUMNS.items() if name in params}
    if CANCEL in values:
        values[CANCEL] = values[CANCEL] == "enabled"
    restrict = params.get(RESTRICT)
    if restrict is not None and "variables_role" not in values and restrict != (project.variables_role != "developer"):
        values["variables_role"] = "maintainer" if restrict else "developer"
    if values.get("config_path") == "":
        values["config_path"] = ".gitlab-ci.yml"
    return values


def change(call: Call, project: Project, values: Mapping[str, Any]) -> Project:
    """`change_project`, whose errors call a setting what callers call it."""
    try:
        return change_project(call.core, project, call.signed_in, values)
    except InvalidRequest as error:
        name = _PUBLIC_NAMES.get(error.field or "", error.field or "base")
        raise ApiError(400, {"message": {name: [str(error)]}}) from error


@routes.put("/projects/<id>", params=SETTINGS)
def update_project(call: Call) -> dict[str, Any]:
    """Change a project's settings"""
    project = call.project(Action.ADMIN_PROJECT)
    if not any(setting.name in call.params for setting in SETTINGS):
        names = ", ".join(setting.name for setting in SETTINGS)
        raise BadParams(f"{names} are missing, at least one parameter must be provided")
    changed = change(call, project, changed_columns(project, call.params))
    return entities.project(call.core, changed, call.user)


def _archive(call: Call, archived: bool) -> dict[str, Any]:
    project = call.project(Action.DESTROY_PROJECT)
    return entities.project(call.core, change(call, project, {"archived": archived}), call.user)


@routes.post("/projects/<id>/archive")
def archive_project(call: Call) -> dict[str, Any]:
    """Archive a project: it can be read, and runs nothing any more"""
    return _archive(call, True)


@routes.post("/projects/<id>/unarchive")
def unarchive_project(call: Call) -> dict[str, Any]:
    """Take a project out of the archive"""
    return _archive(call, False)


@routes.delete("/projects/<id>", status=202)
def remove_project(call: Call) -> dict[str, str]:
    """Remove a project with its repository, pipelines, logs and artifacts"""
    delete_project(call.core, call.project(Action.DESTROY_PROJECT), call.signed_in)
    return {"message": "202 Accepted"}
