"""The CI variables of a group, which all projects below it get (gitlab.md B.6)."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities.variables import variable
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Param
from app.api.gitlab_v4.variables import FILTER, SETTINGS, found_in, settings_of
from app.domain.permissions import Role
from app.models import CiVariable, Group
from app.services.projects import ci_variables
from app.services.projects.groups import find_group

routes = Routes()
LIST = "/groups/<id>/variables"


def _group(call: Call) -> Group:
    """Its owners alone: what is set here reaches every project of the group."""
    return find_group(call.core, call.params["id"], call.user, Role.OWNER)


def _found(call: Call) -> CiVariable:
    return found_in(call, _group(call))


@routes.get(LIST, params=PAGED)
def list_group_variables(call: Call) -> Response:
    """List a group's variables"""
    query = ci_variables.variables_of(_group(call))
    return by_number(call, query, lambda rows: [variable(call.core, row) for row in rows])


@routes.get(f"{LIST}/<key>", params=(FILTER,))
def get_group_variable(call: Call) -> dict[str, Any]:
    """Get a variable of a group"""
    return variable(call.core, _found(call))


@routes.post(LIST, params=(Param("key", required=True), Param("value", required=True), *SETTINGS))
def create_group_variable(call: Call) -> dict[str, Any]:
    """Make a variable of a group"""
    params = call.params
    added = ci_variables.add_variable(call.core, _group(call), params["key"], params["value"], settings_of(call))
    return variable(call.core, added)


@routes.put(f"{LIST}/<key>", params=(FILTER, Param("value"), *SETTINGS))
def update_group_variable(call: Call) -> dict[str, Any]:
    """Change a variable of a group"""
    found = _found(call)
    return variable(
        call.core, ci_variables.change_variable(call.core, found, call.params.get("value"), settings_of(call))
    )


@routes.delete(f"{LIST}/<key>", params=(FILTER,))
def delete_group_variable(call: Call) -> None:
    """Remove a variable of a group"""
    ci_variables.remove_variable(call.core, _found(call))
