"""Who calls: a personal access token as `Authorization: Bearer …` or `?token=…`, or nobody (wercker.md C.1).

A token that is given and opens nothing is refused, also where everyone may read. Any other header is not looked at:
some clients send theirs as `Bearer: TOKEN`, and live on anonymous reads. The CI monitors' addresses take HTTP's Basic
authentication too, with a password or a token. Cookies of the pages do not count here.
"""

import structlog
from flask import request

from app.api.wercker_v3.errors import forbidden, unauthorized
from app.http.caller_of_request import note_caller
from app.models import AccessToken, User
from app.services.accounts import authenticate
from app.services.core import Core

READ_SCOPES = frozenset({"api", "read_api"})
WRITE_SCOPES = frozenset({"api"})
_TOKEN_PREFIX = "glpat-"  # noqa: S105 - how tokens begin, not one


def identify(core: Core, scopes: frozenset[str], basic: bool) -> tuple[User, AccessToken | None] | None:
    """The caller, None for an anonymous one. `scopes`: one of them is needed. `basic`: a password will do.

    Raises ApiError for a token that opens nothing (401), or not this (403).
    """
    token = _given_token()
    found: tuple[User, AccessToken | None] | None = None
    if token:
        found = _by_token(core, token, scopes)
    elif basic and request.headers.get("Authorization"):
        found = _by_password(core, scopes)
    elif request.headers.get("Authorization"):
        raise unauthorized()
    if found:
        note_caller(found[0], f"token {found[1].name}" if found[1] else "password")
        structlog.contextvars.bind_contextvars(user_id=found[0].id)
    return found


def _given_token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.args.get("token", "")


def _by_token(core: Core, token: str, scopes: frozenset[str]) -> tuple[User, AccessToken]:
    found = authenticate.user_by_token(core, token)
    if found is None:
        raise unauthorized()
    if not scopes.intersection(found[1].scopes):
        raise forbidden()
    return found


def _by_password(core: Core, scopes: frozenset[str]) -> tuple[User, AccessToken | None]:
    given = request.authorization
    if given is None or given.type != "basic" or not given.password:
        raise unauthorized()
    if given.password.startswith(_TOKEN_PREFIX):
        return _by_token(core, given.password, scopes)
    user = authenticate.user_by_password(core, given.username or "", given.password)
    if user is None:
        raise unauthorized()
    return user, None
