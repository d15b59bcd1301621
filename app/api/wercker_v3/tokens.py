"""The caller's personal access tokens."""

from typing import Any

from app.api.wercker_v3 import lookup
from app.api.wercker_v3.endpoint import Call, Routes
from app.api.wercker_v3.entities.common import id_of, time, times, url
from app.api.wercker_v3.params import Param
from app.domain.errors import NotFound
from app.domain.object_ids import Kind
from app.models import AccessToken
from app.services.accounts import access_tokens
from app.services.accounts.access_tokens import TokenFilter
from app.services.accounts.create_token import create_token as make_token
from app.services.core import Core

routes = Routes()
NAME = Param("name", required=True)


def entity(core: Core, row: AccessToken) -> dict[str, Any]:
    """A token without its text. Its hash opens nothing."""
    identity = id_of(row)
    return {
        "id": identity,
        "url": url(core, "tokens", identity),
        "name": row.name,
        "hashedToken": row.token_hash,
        "lastCharacters": row.hint,
        "createdAt": time(row.created_at),
        **times(lastUsedAt=row.last_used_at),
    }


def _find(call: Call) -> AccessToken:
    """The caller's own token of that id, unless it was given up. Raises NotFound."""
    parts = lookup.parts(call.params["token_id"], Kind.TOKEN, "Token")
    try:
        row = access_tokens.find_token(call.core, call.signed_in, parts.key)
    except NotFound:
        raise NotFound("Token") from None
    mine = row.user_id == call.signed_in.id and row.revoked_at is None
    if not mine or not parts.names(Kind.TOKEN, row.created_at):
        raise NotFound("Token")
    return row


@routes.get("/tokens")
def list_tokens(call: Call) -> list[dict[str, Any]]:
    """List the caller's tokens that open something"""
    user = call.signed_in
    query = access_tokens.tokens(call.core, user, user.id, TokenFilter(state="active"))
    return [entity(call.core, row) for row in call.core.session.scalars(query)]


@routes.post("/tokens", params=(NAME,))
def create_token(call: Call) -> dict[str, Any]:
    """Make a token, which lasts no longer than the one that asks for it"""
    expires_at = call.token.expires_at if call.token else None
    row, plain = make_token(
        call.core, user=call.signed_in, name=call.params["name"], scopes=("api",), expires_at=expires_at
    )
    return entity(call.core, row) | {"token": plain}


@routes.get("/tokens/<token_id>")
def get_token(call: Call) -> dict[str, Any]:
    """Get a token"""
    return entity(call.core, _find(call))


@routes.patch("/tokens/<token_id>", params=(NAME,))
def rename_token(call: Call) -> dict[str, Any]:
    """Call a token otherwise"""
    return entity(call.core, access_tokens.rename(call.core, _find(call), call.params["name"]))


@routes.delete("/tokens/<token_id>")
def delete_token(call: Call) -> None:
    """Give a token up"""
    access_tokens.revoke(call.core, _find(call))
