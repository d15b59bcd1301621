"""Environment variables of applications and organizations: our CI variables of projects and groups.

"Protected" ones are what GitLab calls hidden: no API and no page shows them again, and logs neither.
"""

from typing import Any

from flask import jsonify

from app.api.wercker_v3 import lookup
from app.api.wercker_v3.endpoint import Call, Routes
from app.api.wercker_v3.entities.common import id_of
from app.api.wercker_v3.errors import detail, invalid
from app.api.wercker_v3.params import Kind, Param
from app.domain.errors import NotFound
from app.domain.object_ids import Kind as IdKind
from app.domain.permissions import Action, Role
from app.models import CiVariable, Group, Project
from app.services import access
from app.services.core import Core
from app.services.projects import ci_variables

routes = Routes()
PLACE = (
    Param("scope", required=True, values=("application", "organization")),
    Param("target", Kind.ID, required=True),
)
CHANGES = (Param("key"), Param("value", blank=True), Param("protected", Kind.BOOLEAN))


def entity(core: Core, row: CiVariable) -> dict[str, Any]:
    """A variable; the value of a protected one is left out."""
    found = {"id": id_of(row), "key": row.key, "protected": row.hidden}
    return found if row.hidden else found | {"value": ci_variables.value_of(core, row)}


def _place(call: Call) -> Project | Group:
    """The project or group that the call is about, whose variables the caller may see and change."""
    target = call.params["target"]
    if call.params["scope"] == "application":
        return lookup.project(call, target, Action.ADMIN_VARIABLES)
    parts = lookup.parts(target, IdKind.GROUP, "Organization")
    group = call.core.session.get(Group, parts.key)
    if group is None or not parts.names(IdKind.GROUP, group.created_at):
        raise NotFound("Organization")
    return _require(call, group)


def _require(call: Call, group: Group) -> Group:
    try:
        access.require_group(call.core, call.user, group, Role.MAINTAINER)
    except NotFound:
        raise NotFound("Organization") from None
    return group


def _find(call: Call) -> CiVariable:
    """The variable of that id, which the caller may change. Raises NotFound, NotAllowed."""
    parts = lookup.parts(call.params["variable_id"], IdKind.VARIABLE, "Variable")
    row = call.core.session.get(CiVariable, parts.key)
    if row is None or not parts.names(IdKind.VARIABLE, row.created_at):
        raise NotFound("Variable")
    if row.project_id is not None:
        project = call.core.session.get_one(Project, row.project_id)
        lookup.require(call, project, Action.ADMIN_VARIABLES, "Variable")
    elif row.group_id is not None:
        _require(call, call.core.session.get_one(Group, row.group_id))
    elif not call.signed_in.is_admin:
        raise NotFound("Variable")
    return row


def _settings(protected: bool) -> dict[str, bool]:
    return {"masked": protected, "hidden": protected}


@routes.get("/envvars", params=PLACE)
def list_variables(call: Call) -> Any:
    """List the variables of an application or an organization"""
    place = _place(call)
    listed = ci_variables.project_variables if isinstance(place, Project) else ci_variables.group_variables
    rows = call.core.session.scalars(listed(place))  # type: ignore[arg-type]
    return jsonify(results=[entity(call.core, row) for row in rows])


@routes.post(
    "/envvars",
    params=(
        *PLACE,
        Param("key", required=True),
        Param("value", required=True, blank=True),
        Param("protected", Kind.BOOLEAN, default=False),
    ),
)
def create_variable(call: Call) -> dict[str, Any]:
    """Make a variable"""
    given = call.params
    row = ci_variables.add_variable(
        call.core, _place(call), given["key"], given["value"], _settings(given["protected"])
    )
    return entity(call.core, row)


@routes.patch("/envvars/<variable_id>", params=CHANGES)
def change_variable(call: Call) -> dict[str, Any]:
    """Change the value of a variable, or protect it"""
    row, given = _find(call), call.params
    if given.get("key", row.key) != row.key:
        raise invalid([detail("key", "any.allowOnly", "cannot change: make another variable", valids=row.key)])
    settings = _settings(given["protected"]) if "protected" in given else {}
    return entity(call.core, ci_variables.change_variable(call.core, row, given.get("value"), settings))


@routes.delete("/envvars/<variable_id>")
def delete_variable(call: Call) -> None:
    """Remove a variable"""
    ci_variables.remove_variable(call.core, _find(call))
