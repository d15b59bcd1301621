"""Groups."""

from dataclasses import fields
from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import READERS, Call, Routes
from app.api.gitlab_v4.entities import groups as entities
from app.api.gitlab_v4.entities import projects as project_entities
from app.api.gitlab_v4.pagination import KEYSET, PAGED, by_key, by_number, wants_keyset
from app.api.gitlab_v4.params import Kind, Param
from app.api.gitlab_v4.projects import LEVELS
from app.domain.permissions import Visibility
from app.models import Group, Project
from app.services.projects import groups as service
from app.services.projects import search_projects

routes = Routes()
FILTERS = (
    Param("search", help="Part of the name or path"),
    Param("owned", Kind.BOOLEAN, default=False),
    Param("min_access_level", values=LEVELS),
    Param("order_by", values=tuple(service.ORDERS), default="name"),
    Param("sort", values=("asc", "desc"), default="asc"),
)
SETTINGS = (Param("description"), Param("visibility", values=tuple(Visibility)))


def _group(call: Call) -> Group:
    return service.find_group(call.core, call.params["id"], call.user)


def _list(call: Call, **given: Any) -> Response:
    names = {field.name for field in fields(service.GroupFilter)}
    chosen = {name: value for name, value in call.params.items() if name in names} | given
    if "min_access_level" in chosen:
        chosen["min_access_level"] = int(chosen["min_access_level"])
    query = service.groups(call.core, call.user, service.GroupFilter(**chosen))

    def render(rows: Any) -> list[dict[str, Any]]:
        return [entities.group(call.core, row) for row in rows]

    if wants_keyset(call, chosen.get("order_by", "name")):
        return by_key(call, query, render, Group.id, descending=chosen.get("sort") == "desc")
    return by_number(call, query, render)


@routes.get(
    "/groups",
    params=(*FILTERS, Param("top_level_only", Kind.BOOLEAN, default=False), *PAGED, *KEYSET),
    callers=READERS,
)
def list_groups(call: Call) -> Response:
    """List the groups that one may see"""
    return _list(call)


@routes.get("/groups/<id>", callers=READERS)
def get_group(call: Call) -> dict[str, Any]:
    """Get a group by its id or its full path"""
    return entities.group(call.core, _group(call))


@routes.post(
    "/groups",
    params=(
        Param("name", required=True, blank=False),
        Param("path", required=True, blank=False),
        Param("parent_id", Kind.INTEGER, help="The group that it comes into"),
        *SETTINGS,
    ),
)
def create_group(call: Call) -> dict[str, Any]:
    """Make a group"""
    parent = service.find_group(call.core, call.params["parent_id"], call.user) if "parent_id" in call.params else None
    given = {name: call.params[name] for name in ("description", "visibility") if name in call.params}
    made = service.create_group(
        call.core, call.signed_in, name=call.params["name"], path=call.params["path"], parent=parent, **given
    )
    return entities.group(call.core, made)


@routes.put("/groups/<id>", params=(Param("name"), *SETTINGS))
def update_group(call: Call) -> dict[str, Any]:
    """Change a group"""
    changes = {name: call.params[name] for name in service.SETTINGS if name in call.params}
    return entities.group(call.core, service.edit_group(call.core, _group(call), call.signed_in, changes))


@routes.delete("/groups/<id>", status=202)
def delete_group(call: Call) -> dict[str, str]:
    """Remove a group that holds no projects and no groups"""
    service.delete_group(call.core, _group(call), call.signed_in)
    return {"message": "202 Accepted"}


@routes.get("/groups/<id>/subgroups", params=(*FILTERS, *PAGED, *KEYSET), callers=READERS)
def list_subgroups(call: Call) -> Response:
    """List the groups right below a group"""
    return _list(call, parent_id=_group(call).id)


@routes.get("/groups/<id>/descendant_groups", params=(*FILTERS, *PAGED, *KEYSET), callers=READERS)
def list_descendant_groups(call: Call) -> Response:
    """List the groups below a group, at any depth"""
    return _list(call, below=_group(call))


@routes.get(
    "/groups/<id>/projects",
    params=(
        Param("search", help="Part of the name or path"),
        Param("visibility", values=tuple(Visibility)),
        Param("archived", Kind.BOOLEAN),
        Param("owned", Kind.BOOLEAN, default=False),
        Param("include_subgroups", Kind.BOOLEAN, default=False),
        Param("order_by", values=tuple(search_projects.ORDERS), default="created_at"),
        Param("sort", values=("asc", "desc"), default="desc"),
        Param("simple", Kind.BOOLEAN, default=False),
        *PAGED,
    ),
    callers=READERS,
)
def list_group_projects(call: Call) -> Response:
    """List the projects of a group"""
    group = _group(call)
    names = {field.name for field in fields(search_projects.ProjectFilter)}
    given = {name: value for name, value in call.params.items() if name in names}
    query = search_projects.projects(call.core, call.user, search_projects.ProjectFilter(**given))
    if call.params["include_subgroups"]:
        query = query.where(search_projects.lies_below(group))
    else:
        query = query.where(Project.group_id == group.id)

    def render(rows: Any) -> list[dict[str, Any]]:
        return project_entities.projects(call.core, rows, call.user, simple=call.params["simple"])

    return by_number(call, query, render)
