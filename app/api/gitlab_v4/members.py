"""Members of projects and groups."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities.groups import member
from app.api.gitlab_v4.errors import BadParams, message, not_found
from app.api.gitlab_v4.pagination import PAGED, by_number, of_list
from app.api.gitlab_v4.params import Kind, Param
from app.api.gitlab_v4.projects import LEVELS
from app.domain.errors import AlreadyExists
from app.domain.permissions import Action, Role
from app.models import Membership
from app.services.accounts.find_user import find_user
from app.services.projects import members as service
from app.services.projects.groups import find_group

routes = Routes()
FILTERS = (
    Param("query", help="Part of the name"),
    Param("user_ids", Kind.LIST, default=()),
)
LEVEL = Param("access_level", required=True, values=LEVELS, help="10 guest … 50 owner")
EXPIRY = Param("expires_at", Kind.TIME, help="The role ends then")


def _project(call: Call, action: Action = Action.READ_MEMBERS) -> service.Place:
    return call.project(action)


def _group(call: Call, least: Role = Role.GUEST) -> service.Place:
    return find_group(call.core, call.params["id"], call.user, least)


def _ids(call: Call) -> list[int]:
    ids = call.params["user_ids"]
    if any(not (text.isascii() and text.isdigit() and len(text) < 19) for text in ids):
        raise BadParams("user_ids is invalid")
    return [int(text) for text in ids]


def _shown(call: Call, rows: Any) -> list[dict[str, Any]]:
    return [member(call.core, row) for row in rows]


def _list(call: Call, place: service.Place) -> Response:
    query = service.members(place, call.params.get("query", ""), _ids(call))
    return by_number(call, query, lambda rows: _shown(call, rows))


def _list_all(call: Call, place: service.Place) -> Response:
    rows = service.all_members(call.core, place, call.params.get("query", ""), _ids(call))
    return of_list(call, rows, lambda page: _shown(call, page))


def _any(call: Call, place: service.Place) -> Membership:
    rows = service.all_members(call.core, place, user_ids=[call.params["user_id"]])
    if not rows:
        raise not_found()
    return rows[0]


def _add(call: Call, place: service.Place) -> dict[str, Any]:
    params = call.params
    if ("user_id" in params) == ("username" in params):
        raise BadParams("user_id, username are missing, exactly one parameter must be provided")
    user_id = params.get("user_id") or find_user(call.core, params["username"]).id
    level, expiry = int(params["access_level"]), params.get("expires_at")
    try:
        return member(call.core, service.add_member(call.core, place, call.signed_in, user_id, level, expiry))
    except AlreadyExists as error:
        raise message(409, str(error)) from error


def _change(call: Call, place: service.Place) -> dict[str, Any]:
    user_id, level, expiry = call.params["user_id"], int(call.params["access_level"]), call.params.get("expires_at")
    return member(call.core, service.change_member(call.core, place, call.signed_in, user_id, level, expiry))


def _remove(call: Call, place: service.Place) -> None:
    service.remove_member(call.core, place, call.signed_in, call.params["user_id"])


def _leaving(call: Call) -> bool:
    """Whether somebody gives up their own role, which takes no right."""
    return call.params["user_id"] == call.signed_in.id


ADDED = (Param("user_id", Kind.INTEGER), Param("username", help="Instead of user_id"), LEVEL, EXPIRY)


@routes.get("/projects/<id>/members", params=(*FILTERS, *PAGED))
def list_project_members(call: Call) -> Response:
    """List a project's own members"""
    return _list(call, _project(call))


@routes.get("/projects/<id>/members/all", params=(*FILTERS, *PAGED))
def list_all_project_members(call: Call) -> Response:
    """List everyone who has a role in a project, also by a group above it"""
    return _list_all(call, _project(call))


@routes.get("/projects/<id>/members/<user_id>")
def get_project_member(call: Call) -> dict[str, Any]:
    """Get one of a project's own members"""
    return member(call.core, service.find_member(call.core, _project(call), call.params["user_id"]))


@routes.get("/projects/<id>/members/all/<user_id>")
def get_any_project_member(call: Call) -> dict[str, Any]:
    """Get somebody who has a role in a project, also by a group above it"""
    return member(call.core, _any(call, _project(call)))


@routes.post("/projects/<id>/members", params=ADDED)
def add_project_member(call: Call) -> dict[str, Any]:
    """Give a user a role in a project"""
    return _add(call, _project(call, Action.ADMIN_MEMBERS))


@routes.put("/projects/<id>/members/<user_id>", params=(LEVEL, EXPIRY))
def update_project_member(call: Call) -> dict[str, Any]:
    """Give a project's member another role"""
    return _change(call, _project(call, Action.ADMIN_MEMBERS))


@routes.delete("/projects/<id>/members/<user_id>")
def remove_project_member(call: Call) -> None:
    """Take a role in a project back, or give up one's own"""
    _remove(call, _project(call, Action.READ_MEMBERS if _leaving(call) else Action.ADMIN_MEMBERS))


@routes.get("/groups/<id>/members", params=(*FILTERS, *PAGED))
def list_group_members(call: Call) -> Response:
    """List a group's own members"""
    return _list(call, _group(call))


@routes.get("/groups/<id>/members/all", params=(*FILTERS, *PAGED))
def list_all_group_members(call: Call) -> Response:
    """List everyone who has a role in a group, also by one above it"""
    return _list_all(call, _group(call))


@routes.get("/groups/<id>/members/<user_id>")
def get_group_member(call: Call) -> dict[str, Any]:
    """Get one of a group's own members"""
    return member(call.core, service.find_member(call.core, _group(call), call.params["user_id"]))


@routes.get("/groups/<id>/members/all/<user_id>")
def get_any_group_member(call: Call) -> dict[str, Any]:
    """Get somebody who has a role in a group, also by one above it"""
    return member(call.core, _any(call, _group(call)))


@routes.post("/groups/<id>/members", params=ADDED)
def add_group_member(call: Call) -> dict[str, Any]:
    """Give a user a role in a group and all below it"""
    return _add(call, _group(call, Role.OWNER))


@routes.put("/groups/<id>/members/<user_id>", params=(LEVEL, EXPIRY))
def update_group_member(call: Call) -> dict[str, Any]:
    """Give a group's member another role"""
    return _change(call, _group(call, Role.OWNER))


@routes.delete("/groups/<id>/members/<user_id>")
def remove_group_member(call: Call) -> None:
    """Take a role in a group back, or give up one's own"""
    _remove(call, _group(call, Role.GUEST if _leaving(call) else Role.OWNER))
