"""The settings of a project that say how its pipelines run (gitlab.md B.9)."""

from collections.abc import Mapping
from typing import Any

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities import projects as entities
from app.api.gitlab_v4.errors import ApiError
from app.api.gitlab_v4.params import Kind, Param
from app.domain.errors import InvalidRequest
from app.domain.permissions import Action
from app.domain.variables_role import MINIMUMS
from app.services.projects.change_project import change_project

routes = Routes()
ROLE = "ci_pipeline_variables_minimum_override_role"
CANCEL = "auto_cancel_pending_pipelines"
#: What a caller says, and the column that it sets.
COLUMNS: Mapping[str, str] = {
    "description": "description",
    "ci_config_path": "config_path",
    "build_timeout": "build_timeout",
    "build_git_strategy": "git_strategy",
    "ci_default_git_depth": "git_depth",
    "public_jobs": "public_jobs",
    "shared_runners_enabled": "instance_runners",
    ROLE: "variables_role",
}
SETTINGS = (
    Param("description"),
    Param("ci_config_path", help="Where the configuration lies in the repository"),
    Param("build_timeout", Kind.INTEGER, help="Seconds"),
    Param("build_git_strategy", values=("fetch", "clone")),
    Param("ci_default_git_depth", Kind.INTEGER),
    Param("public_jobs", Kind.BOOLEAN),
    Param("shared_runners_enabled", Kind.BOOLEAN),
    Param(ROLE, values=tuple(MINIMUMS), help="Who may give a pipeline variables"),
    Param(
        CANCEL,
        values=("enabled", "disabled"),
        help="Whether a newer commit cancels older pipelines of its branch or tag",
    ),
    Param("restrict_user_defined_variables", Kind.BOOLEAN, help="True: maintainers; false: developers"),
)


@routes.put("/projects/<id>", params=SETTINGS)
def update_project(call: Call) -> dict[str, Any]:
    """Change how a project's pipelines run"""
    project = call.project(Action.ADMIN_PROJECT)
    values = {column: call.params[name] for name, column in COLUMNS.items() if name in call.params}
    if CANCEL in call.params:
        values[CANCEL] = call.params[CANCEL] == "enabled"
    restrict = call.params.get("restrict_user_defined_variables")
    if restrict is not None and "variables_role" not in values and restrict != (project.variables_role != "developer"):
        values["variables_role"] = "maintainer" if restrict else "developer"
    if values.get("config_path") == "":
        values["config_path"] = ".gitlab-ci.yml"
    try:
        changed = change_project(call.core, project, call.user, values)
    except InvalidRequest as error:
        names = {column: name for name, column in COLUMNS.items()}
        raise ApiError(400, {"message": {names.get(error.field or "", "base"): [str(error)]}}) from error
    return entities.project(call.core, changed, call.user)
