"""Personal access tokens: which there are, and taking one back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, SQLColumnExpression, and_, func, or_, select

from app.domain.audit import Act
from app.domain.errors import NotFound
from app.models import AccessToken, User, write
from app.services.accounts.create_token import checked_name
from app.services.audit.record import record
from app.services.core import Core


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFilter:
    """What to look for; None does not matter. `state`: active or inactive (revoked, or expired). `sort` as in SORTS.

    The others are the earliest and the latest time of a column.
    """

    revoked: bool | None = None
    state: str | None = None
    search: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    last_used_after: datetime | None = None
    last_used_before: datetime | None = None
    expires_after: datetime | None = None
    expires_before: datetime | None = None
    sort: str = "id_asc"


_SORTED: Mapping[str, SQLColumnExpression[Any]] = {
    "id": AccessToken.id,
    "name": func.lower(AccessToken.name),
    "created": AccessToken.created_at,
    "expires": AccessToken.expires_at,
    "last_used": AccessToken.last_used_at,
}
_TIMES: Mapping[str, SQLColumnExpression[Any]] = {
    "created": AccessToken.created_at,
    "last_used": AccessToken.last_used_at,
    "expires": AccessToken.expires_at,
}
SORTS = tuple(f"{name}_{way}" for name in _SORTED for way in ("asc", "desc"))


def tokens(core: Core, user: User, owner_id: int | None, wanted: TokenFilter) -> Select[AccessToken]:
    """The tokens that `user` may see: their own, or as an admin everyone's or those of `owner_id`."""
    query = _visible(user)
    if owner_id is not None:
        query = query.where(AccessToken.user_id == owner_id)
    return filtered(core, query, wanted)


def filtered(core: Core, query: Select[AccessToken], wanted: TokenFilter) -> Select[AccessToken]:
    """Of the tokens of `query` those that are `wanted`, in that order."""
    for name, column in _TIMES.items():
        after, before = getattr(wanted, f"{name}_after"), getattr(wanted, f"{name}_before")
        query = query.where(column >= after) if after else query
        query = query.where(column <= before) if before else query
    name, _, way = wanted.sort.rpartition("_")
    order = _SORTED[name].desc() if way == "desc" else _SORTED[name].asc()
    query = query.order_by(None).order_by(order, AccessToken.id)
    if wanted.revoked is not None:
        given_up = AccessToken.revoked_at.is_not(None)
        query = query.where(given_up if wanted.revoked else ~given_up)
    if wanted.state is not None:
        lasting = or_(AccessToken.expires_at.is_(None), AccessToken.expires_at > core.now())
        active = and_(AccessToken.revoked_at.is_(None), lasting)
        query = query.where(active if wanted.state == "active" else ~active)
    if wanted.search:
        query = query.where(func.lower(AccessToken.name).contains(wanted.search.lower(), autoescape=True))
    return query


def find_token(core: Core, user: User, token_id: int) -> AccessToken:
    """The token of that id, if `user` may see it. Raises NotFound."""
    token = core.session.scalar(_visible(user).where(AccessToken.id == token_id))
    if token is None:
        raise NotFound("")
    return token


def revoke(core: Core, token: AccessToken) -> None:
    """From now on `token` opens nothing. Once revoked, it stays so."""
    token_id = token.id
    with write(core.session):
        held = core.session.get(AccessToken, token_id)
        if held is not None and held.revoked_at is None:
            held.revoked_at = core.now()
            record(core, Act.TOKEN_REVOKED, held.name, details={"owner": held.user.username})


def rename(core: Core, token: AccessToken, name: str) -> AccessToken:
    """Call `token` otherwise. Raises InvalidRequest."""
    token_id, name = token.id, checked_name(name)
    with write(core.session):
        held = core.session.get_one(AccessToken, token_id)
        held.name = name
    return held


def _visible(user: User) -> Select[AccessToken]:
    query = select(AccessToken).order_by(AccessToken.id)
    return query if user.is_admin else query.where(AccessToken.user_id == user.id)
