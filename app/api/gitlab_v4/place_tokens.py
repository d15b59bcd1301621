"""Access tokens of projects and groups, which belong to bots."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities.tokens import place_token
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Kind, Param
from app.api.gitlab_v4.projects import LEVELS
from app.api.gitlab_v4.tokens import EXPIRY, FILTERS, wanted_tokens
from app.domain.permissions import Action, Role
from app.models import AccessToken
from app.services.accounts import access_tokens
from app.services.accounts import place_tokens as service
from app.services.projects.groups import find_group
from app.services.projects.members import Place

routes = Routes()
CREATION = (
    Param("name", required=True),
    Param("scopes", Kind.LIST, required=True),
    Param("access_level", values=LEVELS, default="40", help="The bot's role, 10 guest … 50 owner; 40 when missing"),
    Param("description"),
    Param("expires_at", Kind.TIME, help="Never when missing"),
)
LISTED = tuple(param for param in FILTERS if param.name != "user_id")


def _project(call: Call) -> Place:
    return call.project(Action.ADMIN_MEMBERS)


def _group(call: Call) -> Place:
    return find_group(call.core, call.params["id"], call.user, Role.OWNER)


def _shown(call: Call, place: Place, rows: Any) -> list[dict[str, Any]]:
    roles = service.roles(call.core, place, [row.user_id for row in rows])
    return [place_token(call.core, row, place, roles[row.user_id]) for row in rows]


def _list(call: Call, place: Place) -> Response:
    query = service.place_tokens(call.core, place, wanted_tokens(call))
    return by_number(call, query, lambda rows: _shown(call, place, rows))


def _find(call: Call, place: Place) -> AccessToken:
    return service.find_place_token(call.core, place, call.params["token_id"])


def _create(call: Call, place: Place) -> dict[str, Any]:
    params = call.params
    draft = service.Draft(
        name=params["name"],
        scopes=params["scopes"],
        role=int(params["access_level"]),
        expires_at=params.get("expires_at"),
        description=params.get("description"),
    )
    made, plain = service.create_place_token(call.core, place, call.signed_in, draft)
    return _shown(call, place, [made])[0] | {"token": plain}


def _rotate(call: Call, place: Place, token: AccessToken) -> dict[str, Any]:
    fresh, plain = service.rotate_place_token(call.core, place, call.signed_in, token, call.params.get("expires_at"))
    return _shown(call, place, [fresh])[0] | {"token": plain}


@routes.get("/projects/<id>/access_tokens", params=(*LISTED, *PAGED))
def list_project_tokens(call: Call) -> Response:
    """List a project's access tokens"""
    return _list(call, _project(call))


@routes.get("/projects/<id>/access_tokens/<token_id>")
def get_project_token(call: Call) -> dict[str, Any]:
    """Get an access token of a project"""
    place = _project(call)
    return _shown(call, place, [_find(call, place)])[0]


@routes.post("/projects/<id>/access_tokens", params=CREATION)
def create_project_token(call: Call) -> dict[str, Any]:
    """Make an access token of a project, with a bot that has a role there; it is shown this once"""
    return _create(call, _project(call))


@routes.post("/projects/<id>/access_tokens/<token_id>/rotate", params=(EXPIRY,), status=200)
def rotate_project_token(call: Call) -> dict[str, Any]:
    """Replace an access token of a project by a new one, which is shown this once"""
    place = _project(call)
    return _rotate(call, place, _find(call, place))


@routes.delete("/projects/<id>/access_tokens/<token_id>")
def revoke_project_token(call: Call) -> None:
    """Revoke an access token of a project"""
    access_tokens.revoke(call.core, _find(call, _project(call)))


@routes.get("/groups/<id>/access_tokens", params=(*LISTED, *PAGED))
def list_group_tokens(call: Call) -> Response:
    """List a group's access tokens"""
    return _list(call, _group(call))


@routes.get("/groups/<id>/access_tokens/<token_id>")
def get_group_token(call: Call) -> dict[str, Any]:
    """Get an access token of a group"""
    place = _group(call)
    return _shown(call, place, [_find(call, place)])[0]


@routes.post("/groups/<id>/access_tokens", params=CREATION)
def create_group_token(call: Call) -> dict[str, Any]:
    """Make an access token of a group, with a bot that has a role in it and below; it is shown this once"""
    return _create(call, _group(call))


@routes.post("/groups/<id>/access_tokens/<token_id>/rotate", params=(EXPIRY,), status=200)
def rotate_group_token(call: Call) -> dict[str, Any]:
    """Replace an access token of a group by a new one, which is shown this once"""
    place = _group(call)
    return _rotate(call, place, _find(call, place))


@routes.delete("/groups/<id>/access_tokens/<token_id>")
def revoke_group_token(call: Call) -> None:
    """Revoke an access token of a group"""
    access_tokens.revoke(call.core, _find(call, _group(call)))
