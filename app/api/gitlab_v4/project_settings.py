"""Changing, archiving and removing projects."""

from collections.abc import Mapping
from typing import Any

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities import projects as entities
from app.api.gitlab_v4.errors import BadParams
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action, Visibility
from app.services.projects.delete_project import delete_project
from app.services.projects.edit_project import edit_project

routes = Routes()
#: What callers call a setting, and its column.
COLUMNS = {
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
}
SETTINGS = (
    Param("name", blank=False),
    Param("path", blank=False, help="The last part of its address"),
    Param("description"),
    Param("visibility", values=tuple(Visibility)),
    Param("default_branch", blank=False),
    Param("ci_config_path"),
    Param("build_timeout", Kind.INTEGER, help="Seconds, at least 600"),
    Param("build_git_strategy", values=("fetch", "clone")),
    Param("ci_default_git_depth", Kind.INTEGER, help="0: the whole history"),
    Param("public_jobs", Kind.BOOLEAN, help="Whoever sees the project sees its pipelines"),
    Param("public_builds", Kind.BOOLEAN, help="The same as public_jobs"),
    Param("shared_runners_enabled", Kind.BOOLEAN),
)


def changed_columns(params: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that a caller's parameters set."""
    changes = {column: params[name] for name, column in COLUMNS.items() if name in params}
    if changes.get("config_path") == "":
        changes["config_path"] = ".gitlab-ci.yml"
    return changes


@routes.put("/projects/<id>", params=SETTINGS)
def update_project(call: Call) -> dict[str, Any]:
    """Change a project's settings"""
    project = call.project(Action.ADMIN_PROJECT)
    changes = changed_columns(call.params)
    if not changes:
        names = ", ".join(COLUMNS)
        raise BadParams(f"{names} are missing, at least one parameter must be provided")
    return entities.project(call.core, edit_project(call.core, project, call.signed_in, changes), call.user)


def _archive(call: Call, archived: bool) -> dict[str, Any]:
    project = call.project(Action.DESTROY_PROJECT)
    return entities.project(
        call.core, edit_project(call.core, project, call.signed_in, {"archived": archived}), call.user
    )


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
