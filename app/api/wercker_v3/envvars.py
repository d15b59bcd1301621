"""Environment variables of applications and organizations, our CI variables of projects and groups, and of pipelines.

"Protected" ones are what GitLab calls hidden: no API and no page shows them again, and logs neither.
"""

from typing import Any

from flask import jsonify
from sqlalchemy import Select

from app.api.wercker_v3 import lookup
from app.api.wercker_v3.endpoint import Call, Routes
from app.api.wercker_v3.entities.common import id_of
from app.api.wercker_v3.errors import detail, invalid
from app.api.wercker_v3.params import Kind, Param
from app.domain.errors import NotFound
from app.domain.object_ids import Kind as IdKind
from app.domain.object_ids import ObjectId, decode
from app.domain.permissions import Action, Role
from app.models import CiVariable, DefinitionVariable, Group, PipelineDefinition, Project
from app.services import access
from app.services.core import Core
from app.services.projects import ci_variables
from app.services.runs import definition_variables

routes = Routes()
PLACE = (
    Param("scope", required=True, values=("application", "organization", "pipeline")),
    Param("target", Kind.ID, required=True),
)
CHANGES = (Param("key"), Param("value", blank=True), Param("protected", Kind.BOOLEAN))


def entity(core: Core, row: CiVariable | DefinitionVariable) -> dict[str, Any]:
    """A variable; the value of a protected one is left out."""
    found = {"id": id_of(row), "key": row.key, "protected": row.hidden}
    if row.hidden:
        return found
    if isinstance(row, DefinitionVariable):
        return found | {"value": definition_variables.value_of(core, row)}
    return found | {"value": ci_variables.value_of(core, row)}


def _place(call: Call) -> Project | Group | PipelineDefinition:
    """What the call is about, whose variables the caller may see and change."""
    target = call.params["target"]
    if call.params["scope"] == "application":
        return lookup.project(call, target, Action.ADMIN_VARIABLES)
    if call.params["scope"] == "pipeline":
        return lookup.definition(call, target, Action.ADMIN_VARIABLES)
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


def _find(call: Call) -> CiVariable | DefinitionVariable:
    """The variable of that id, which the caller may change. Raises NotFound, NotAllowed."""
    parts = decode(call.params["variable_id"])
    if parts is not None and parts.kind == IdKind.DEFINITION_VARIABLE:
        return _find_of_definition(call, parts)
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


def _find_of_definition(call: Call, parts: ObjectId) -> DefinitionVariable:
    row = call.core.session.get(DefinitionVariable, parts.key)
    if row is None or not parts.names(IdKind.DEFINITION_VARIABLE, row.created_at):
        raise NotFound("Variable")
    lookup.require(call, row.definition.project, Action.ADMIN_VARIABLES, "Variable")
    return row


def _settings(protected: bool) -> dict[str, bool]:
    return {"masked": protected, "hidden": protected}


@routes.get("/envvars", params=PLACE)
def list_variables(call: Call) -> Any:
    """List the variables of an application, an organization or a pipeline"""
    rows = call.core.session.scalars(_listed(_place(call)))
    return jsonify(results=[entity(call.core, row) for row in rows])


def _listed(place: Project | Group | PipelineDefinition) -> Select[Any]:
    if isinstance(place, PipelineDefinition):
        return definition_variables.listed(place)
    if isinstance(place, Project):
        return ci_variables.project_variables(place)
    return ci_variables.group_variables(place)


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
    key, value, protected = (call.params[name] for name in ("key", "value", "protected"))
    place = _place(call)
    if isinstance(place, PipelineDefinition):
        return entity(call.core, definition_variables.add_variable(call.core, place, key, value, protected))
    return entity(call.core, ci_variables.add_variable(call.core, place, key, value, _settings(protected)))


@routes.patch("/envvars/<variable_id>", params=CHANGES)
def change_variable(call: Call) -> dict[str, Any]:
    """Change the value of a variable, or protect it"""
    row, given = _find(call), call.params
    if given.get("key", row.key) != row.key:
        raise invalid([detail("key", "any.allowOnly", "cannot change: make another variable", valids=row.key)])
    if isinstance(row, DefinitionVariable):
        changed = definition_variables.change_variable(call.core, row, given.get("value"), given.get("protected"))
        return entity(call.core, changed)
    settings = _settings(given["protected"]) if "protected" in given else {}
    return entity(call.core, ci_variables.change_variable(call.core, row, given.get("value"), settings))


@routes.delete("/envvars/<variable_id>")
def delete_variable(call: Call) -> None:
    """Remove a variable"""
    row = _find(call)
    if isinstance(row, DefinitionVariable):
        definition_variables.remove_variable(call.core, row)
    else:
        ci_variables.remove_variable(call.core, row)
