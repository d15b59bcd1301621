"""Personal access tokens."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities.tokens import access_token
from app.api.gitlab_v4.errors import bad_request, unauthorized
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Kind, Param
from app.models import AccessToken
from app.services.accounts import access_tokens

routes = Routes()
FILTERS = (
    Param("user_id", Kind.INTEGER, help="Another user's: admins only"),
    Param("revoked", Kind.BOOLEAN),
    Param("state", values=("active", "inactive")),
    Param("search", help="Part of the name"),
)
#: Whatever a token may do, it may say what it is and give itself up.
ANY_SCOPE = ("api", "read_api", "read_user", "read_repository", "write_repository", "create_runner", "manage_runner")


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


@routes.get("/personal_access_tokens", params=(*FILTERS, *PAGED))
def list_tokens(call: Call) -> Response:
    """List one's tokens; an admin's list has everyone's"""
    params, user = call.params, call.signed_in
    owner = params.get("user_id")
    if owner is not None and owner != user.id and not user.is_admin:
        raise unauthorized()
    wanted = access_tokens.TokenFilter(
        revoked=params.get("revoked"), state=params.get("state"), search=params.get("search")
    )
    query = access_tokens.tokens(call.core, user, owner, wanted)
    return by_number(call, query, lambda rows: [access_token(call.core, row) for row in rows])


@routes.get("/personal_access_tokens/<token_id>")
def get_token(call: Call) -> dict[str, Any]:
    """Get a token"""
    return access_token(call.core, access_tokens.find_token(call.core, call.signed_in, call.params["token_id"]))


@routes.delete("/personal_access_tokens/<token_id>")
def revoke_token(call: Call) -> None:
    """Revoke a token"""
    access_tokens.revoke(call.core, access_tokens.find_token(call.core, call.signed_in, call.params["token_id"]))
