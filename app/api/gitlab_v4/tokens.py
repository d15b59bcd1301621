"""Personal access tokens."""

from dataclasses import fields
from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities.tokens import access_token
from app.api.gitlab_v4.errors import bad_request, forbidden, not_found, unauthorized
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Kind, Param
from app.models import AccessToken, User
from app.services.accounts import access_tokens
from app.services.accounts.create_token import create_token
from app.services.accounts.rotate_token import rotate_token

routes = Routes()
TIMES = ("created", "last_used", "expires")
FILTERS = (
    Param("user_id", Kind.INTEGER, help="Another user's: admins only"),
    Param("revoked", Kind.BOOLEAN),
    Param("state", values=("active", "inactive")),
    Param("search", help="Part of the name"),
    *(Param(f"{name}_{side}", Kind.TIME) for name in TIMES for side in ("after", "before")),
    Param("sort", values=access_tokens.SORTS, default="id_asc"),
)
#: Whatever a token may do, it may say what it is and give itself up.
ANY_SCOPE = (
    "api",
    "read_api",
    "read_user",
    "read_repository",
    "write_repository",
    "create_runner",
    "manage_runner",
    "self_rotate",
)


def wanted_tokens(call: Call) -> access_tokens.TokenFilter:
    """What FILTERS ask for."""
    names = {field.name for field in fields(access_tokens.TokenFilter)}
    return access_tokens.TokenFilter(**{name: value for name, value in call.params.items() if name in names})


def _own(call: Call) -> AccessToken:
    """The token in use. A session has none."""
    if call.caller.token is None:
        raise bad_request("This endpoint requires a personal access token")
    return call.caller.token


@routes.get("/personal_access_tokens/self", scopes=ANY_SCOPE)
def get_own_token(call: Call) -> dict[str, Any]:
    """Get the token in use"""
    return access_token(call.core, _own(call))


@routes.delete("/personal_access_tokens/self", scopes=ANY_SCOPE)
def revoke_own_token(call: Call) -> None:
    """Revoke the token in use"""
    access_tokens.revoke(call.core, _own(call))


def _rotate(call: Call, token: AccessToken) -> dict[str, Any]:
    fresh, plain = rotate_token(call.core, token, call.params.get("expires_at"))
    return access_token(call.core, fresh) | {"token": plain}


EXPIRY = Param("expires_at", Kind.TIME, help="A week from now when missing")


@routes.post("/personal_access_tokens/self/rotate", params=(EXPIRY,), status=200, scopes=("api", "self_rotate"))
def rotate_own_token(call: Call) -> dict[str, Any]:
    """Replace the token in use by a new one, which is shown this once"""
    return _rotate(call, _own(call))


@routes.post("/personal_access_tokens/<token_id>/rotate", params=(EXPIRY,), status=200)
def rotate_any_token(call: Call) -> dict[str, Any]:
    """Replace a token by a new one, which is shown this once"""
    return _rotate(call, access_tokens.find_token(call.core, call.signed_in, call.params["token_id"]))


def _create(call: Call, user: User) -> dict[str, Any]:
    params = call.params
    made, plain = create_token(
        call.core,
        user=user,
        name=params["name"],
        scopes=params["scopes"],
        expires_at=params.get("expires_at"),
        description=params.get("description"),
    )
    return access_token(call.core, made) | {"token": plain}


@routes.post(
    "/user/personal_access_tokens",
    params=(
        Param("name", required=True),
        Param("scopes", Kind.LIST, required=True, values=("self_rotate",)),
        Param("expires_at", Kind.TIME, help="Never when missing"),
        Param("description"),
    ),
)
def create_own_token(call: Call) -> dict[str, Any]:
    """Make a token for oneself that can only be rotated; it is shown this once"""
    return _create(call, call.signed_in)


@routes.post(
    "/users/<user_id>/personal_access_tokens",
    params=(
        Param("name", required=True),
        Param("scopes", Kind.LIST, required=True),
        Param("expires_at", Kind.TIME, help="Never when missing"),
        Param("description"),
    ),
)
def create_token_of_user(call: Call) -> dict[str, Any]:
    """Make a token for a user; it is shown this once. Admins only"""
    if not call.signed_in.is_admin:
        raise forbidden()
    user = call.core.session.get(User, call.params["user_id"])
    if user is None:
        raise not_found("User")
    return _create(call, user)


@routes.get("/personal_access_tokens", params=(*FILTERS, *PAGED))
def list_tokens(call: Call) -> Response:
    """List one's tokens; an admin's list has everyone's"""
    user, owner = call.signed_in, call.params.get("user_id")
    if owner is not None and owner != user.id and not user.is_admin:
        raise unauthorized()
    query = access_tokens.tokens(call.core, user, owner, wanted_tokens(call))
    return by_number(call, query, lambda rows: [access_token(call.core, row) for row in rows])


@routes.get("/personal_access_tokens/<token_id>")
def get_token(call: Call) -> dict[str, Any]:
    """Get a token"""
    return access_token(call.core, access_tokens.find_token(call.core, call.signed_in, call.params["token_id"]))


@routes.delete("/personal_access_tokens/<token_id>")
def revoke_token(call: Call) -> None:
    """Revoke a token"""
    access_tokens.revoke(call.core, access_tokens.find_token(call.core, call.signed_in, call.params["token_id"]))
