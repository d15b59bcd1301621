"""Projects."""

import re
from dataclasses import fields
from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import READERS, Call, Routes
from app.api.gitlab_v4.entities import projects as entities
from app.api.gitlab_v4.errors import ApiError, BadParams, not_found
from app.api.gitlab_v4.pagination import KEYSET, PAGED, by_key, by_number, wants_keyset
from app.api.gitlab_v4.params import Kind, Param
from app.api.gitlab_v4.project_settings import SETTINGS, change, changed_columns
from app.domain.errors import AlreadyExists, InvalidRequest, SkerryError
from app.domain.permissions import Action, Role, Visibility
from app.models import Group, Project
from app.services.projects import search_projects
from app.services.projects.create_project import create_project
from app.services.projects.delete_project import delete_project
from app.services.projects.search_projects import ProjectFilter
from app.services.repositories.first_commit import add_readme
from app.services.repositories.request_fetch import ask_for_fetch

routes = Routes()
LEVELS = tuple(str(int(role)) for role in Role if role)
FILTERS = (
    Param("search", help="Part of the name or path"),
    Param("visibility", values=tuple(Visibility)),
    Param("owned", Kind.BOOLEAN, default=False),
    Param("membership", Kind.BOOLEAN, default=False),
    Param("archived", Kind.BOOLEAN),
    Param("min_access_level", values=LEVELS),
    Param("id_after", Kind.INTEGER),
    Param("id_before", Kind.INTEGER),
    Param("order_by", values=(*search_projects.ORDERS, "similarity", "star_count"), default="created_at"),
    Param("sort", values=("asc", "desc"), default="desc"),
)


#: What `create_project` itself takes.
_AT_FIRST = frozenset({"name", "path", "description", "visibility"})


@routes.get(
    "/projects", params=(*FILTERS, Param("simple", Kind.BOOLEAN, default=False), *PAGED, *KEYSET), callers=READERS
)
def list_projects(call: Call) -> Response:
    """List the projects that one may see"""
    names = {field.name for field in fields(ProjectFilter)}
    given = {name: value for name, value in call.params.items() if name in names}
    keyset = wants_keyset(call, given["order_by"])
    if given["order_by"] not in search_projects.ORDERS:  # there are no stars, and nothing to compare with
        given["order_by"] = "created_at"
    if "min_access_level" in given:
        given["min_access_level"] = int(given["min_access_level"])
    query = search_projects.projects(call.core, call.user, ProjectFilter(**given))

    def render(rows: Any) -> list[dict[str, Any]]:
        return entities.projects(call.core, rows, call.user, simple=call.params["simple"])

    if keyset:
        return by_key(call, query, render, Project.id, descending=given["sort"] == "desc")
    return by_number(call, query, render)


@routes.get("/projects/<id>", callers=READERS)
def get_project(call: Call) -> dict[str, Any]:
    """Get a project by its id or its full path"""
    return entities.project(call.core, call.project(Action.READ_PROJECT), call.user)


@routes.post(
    "/projects",
    params=(
        Param("name"),
        Param("path", help="Made from the name when missing"),
        Param("namespace_id", Kind.INTEGER, help="A group; a group called like oneself when missing"),
        Param("description", default=""),
        Param("visibility", values=tuple(Visibility), default="private"),
        Param("import_url", help="Mirror this repository, which is fetched soon"),
        Param("initialize_with_readme", Kind.BOOLEAN, default=False, help="With a first commit"),
        *(setting for setting in SETTINGS if setting.name not in _AT_FIRST),
    ),
)
def create(call: Call) -> dict[str, Any]:
    """Make a project"""
    params = call.params
    if not params.get("name") and not params.get("path"):
        raise BadParams("name, path are missing, at least one parameter must be provided")
    path = params.get("path") or _slug(params["name"])
    try:
        project = create_project(
            call.core,
            full_path=f"{_namespace(call)}/{path}",
            creator=call.signed_in,
            visibility=params["visibility"],
            mirror_url=params.get("import_url"),
            description=params["description"],
        )
    except AlreadyExists as error:
        taken = ["has already been taken"]
        raise ApiError(400, {"message": {"name": taken, "path": taken}}) from error
    except InvalidRequest as error:
        raise ApiError(400, {"message": {_PUBLIC_NAMES.get(error.field or "", "base"): [str(error)]}}) from error
    return entities.project(call.core, _set_up(call, project), call.user)


def _set_up(call: Call, project: Project) -> Project:
    """Give a new project its settings and first commit. One that cannot have them is not made."""
    try:
        values = changed_columns(project, call.params)
        later = {name: value for name, value in values.items() if name not in _AT_FIRST}
        if "name" in call.params:
            later["name"] = call.params["name"]
        project = change(call, project, later)
        if call.params["initialize_with_readme"]:
            add_readme(call.core, project, call.signed_in)
        if project.repository == "mirrored":
            ask_for_fetch(call.core, project.id)
    except (ApiError, SkerryError):
        delete_project(call.core, project, call.signed_in)
        raise
    return project


#: What the service calls a parameter, and what callers do.
_PUBLIC_NAMES = {"full_path": "path", "mirror_url": "import_url", "visibility": "visibility"}


def _slug(name: str) -> str:
    """A path out of a name: "My Project" becomes my-project."""
    return re.sub(r"[^a-z0-9_.]+", "-", name.lower()).strip("-.") or "project"


def _namespace(call: Call) -> str:
    """The full path of the group that the project comes into."""
    if "namespace_id" not in call.params:
        return call.signed_in.username
    group = call.core.session.get(Group, call.params["namespace_id"])
    if group is None:
        raise not_found("Namespace")
    return group.full_path
