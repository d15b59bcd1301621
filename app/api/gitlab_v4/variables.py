"""A project's CI variables (gitlab.md B.6)."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities.variables import variable
from app.api.gitlab_v4.errors import message
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action
from app.models import CiVariable
from app.services.projects import ci_variables

routes = Routes()
FILTER = Param("filter", Kind.OBJECT, default={}, fields=(Param("environment_scope"),))
SETTINGS = (
    Param("protected", Kind.BOOLEAN, help="Only for jobs of protected refs"),
    Param("masked", Kind.BOOLEAN, help="Blanked out in logs"),
    Param("masked_and_hidden", Kind.BOOLEAN, help="Blanked out in logs, and never shown again"),
    Param("raw", Kind.BOOLEAN, help="References in it are not expanded"),
    Param("variable_type", values=("env_var", "file")),
    Param("environment_scope"),
    Param("description"),
)


def settings_of(call: Call) -> dict[str, Any]:
    """What the caller set, in the words of the service."""
    given = {name: call.params[name] for name in ci_variables.SETTINGS if name in call.params}
    if call.params.get("masked_and_hidden"):
        given |= {"masked": True, "hidden": True}
    if "variable_type" in call.params:
        given["file"] = call.params["variable_type"] == "file"
    return given


def found_in(call: Call, place: ci_variables.Place) -> CiVariable:
    """The variable of `place` that the call names. Raises NotFound, ApiError 409 where several have the key."""
    scope = call.params.get("filter", {}).get("environment_scope")
    try:
        return ci_variables.find_variable(call.core, place, call.params["key"], scope)
    except ci_variables.Ambiguous as error:
        raise message(409, str(error)) from error


def _found(call: Call) -> CiVariable:
    return found_in(call, call.project(Action.ADMIN_VARIABLES))


@routes.get("/projects/<id>/variables", params=PAGED)
def list_variables(call: Call) -> Response:
    """List a project's variables"""
    query = ci_variables.project_variables(call.project(Action.ADMIN_VARIABLES))
    return by_number(call, query, lambda rows: [variable(call.core, row) for row in rows])


@routes.get("/projects/<id>/variables/<key>", params=(FILTER,))
def get_variable(call: Call) -> dict[str, Any]:
    """Get a variable"""
    return variable(call.core, _found(call))


@routes.post("/projects/<id>/variables", params=(Param("key", required=True), Param("value", required=True), *SETTINGS))
def create_variable(call: Call) -> dict[str, Any]:
    """Make a variable"""
    project = call.project(Action.ADMIN_VARIABLES)
    added = ci_variables.add_variable(call.core, project, call.params["key"], call.params["value"], settings_of(call))
    return variable(call.core, added)


@routes.put("/projects/<id>/variables/<key>", params=(FILTER, Param("value"), *SETTINGS))
def update_variable(call: Call) -> dict[str, Any]:
    """Change a variable"""
    found = _found(call)
    changed = ci_variables.change_variable(call.core, found, call.params.get("value"), settings_of(call))
    return variable(call.core, changed)


@routes.delete("/projects/<id>/variables/<key>", params=(FILTER,))
def delete_variable(call: Call) -> None:
    """Remove a variable"""
    ci_variables.remove_variable(call.core, _found(call))
