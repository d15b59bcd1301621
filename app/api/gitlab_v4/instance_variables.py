"""The CI variables of the instance, which every project gets (gitlab.md B.6). They are for administrators."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities.variables import variable
from app.api.gitlab_v4.errors import forbidden
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Param
from app.api.gitlab_v4.variables import SETTINGS, found_in, settings_of
from app.models import CiVariable
from app.services.projects import ci_variables

routes = Routes()
LIST = "/admin/ci/variables"
#: Every environment has them: the instance knows no scopes.
UNSCOPED = tuple(param for param in SETTINGS if param.name not in ("environment_scope", "masked_and_hidden"))


def _require_admin(call: Call) -> None:
    if not call.signed_in.is_admin:
        raise forbidden()


def _found(call: Call) -> CiVariable:
    _require_admin(call)
    return found_in(call, None)


@routes.get(LIST, params=PAGED)
def list_instance_variables(call: Call) -> Response:
    """List the instance's variables"""
    _require_admin(call)
    return by_number(call, ci_variables.variables_of(None), lambda rows: [variable(call.core, row) for row in rows])


@routes.get(f"{LIST}/<key>")
def get_instance_variable(call: Call) -> dict[str, Any]:
    """Get a variable of the instance"""
    return variable(call.core, _found(call))


@routes.post(LIST, params=(Param("key", required=True), Param("value", required=True), *UNSCOPED))
def create_instance_variable(call: Call) -> dict[str, Any]:
    """Make a variable of the instance"""
    _require_admin(call)
    params = call.params
    added = ci_variables.add_variable(call.core, None, params["key"], params["value"], settings_of(call))
    return variable(call.core, added)


@routes.put(f"{LIST}/<key>", params=(Param("value"), *UNSCOPED))
def update_instance_variable(call: Call) -> dict[str, Any]:
    """Change a variable of the instance"""
    found = _found(call)
    return variable(
        call.core, ci_variables.change_variable(call.core, found, call.params.get("value"), settings_of(call))
    )


@routes.delete(f"{LIST}/<key>")
def delete_instance_variable(call: Call) -> None:
    """Remove a variable of the instance"""
    ci_variables.remove_variable(call.core, _found(call))
