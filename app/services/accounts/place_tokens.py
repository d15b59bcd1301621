"""Access tokens of a project or a group: each belongs to a user of its own, a bot, which has a role there.

Who may is asked before (`Action.ADMIN_MEMBERS`, `access.require_group`); that nobody gives a role above their own is
seen to here.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, select

from app.domain.audit import Act
from app.domain.errors import InvalidRequest, NotFound
from app.domain.permissions import Role
from app.models import AccessToken, Bot, Group, Membership, Project, User, write
from app.services.accounts.access_tokens import TokenFilter, filtered
from app.services.accounts.create_token import draft_token
from app.services.accounts.rotate_token import rotate_token
from app.services.audit.record import record
from app.services.core import Core
from app.services.projects.members import Place, require_rank

ROLES = tuple(int(role) for role in Role if role is not Role.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is asked for. `role` in the place, `expires_at` None: never."""

    name: str
    scopes: Iterable[str]
    role: int = Role.MAINTAINER
    expires_at: datetime | None = None
    description: str | None = None


def create_place_token(core: Core, place: Place, actor: User, draft: Draft) -> tuple[AccessToken, str]:
    """A new token of `place`, and its text, which is shown this once. Raises InvalidRequest, NotAllowed."""
    if actor.bot:
        raise InvalidRequest("a bot makes no tokens", "base")
    if draft.role not in ROLES:
        raise InvalidRequest("is not included in the list", "access_level")
    require_rank(core, place, actor, draft.role)
    token, plain = draft_token(core, draft.name, draft.scopes, draft.expires_at, draft.description)
    owner, kind = _owner(place), "project" if isinstance(place, Project) else "group"
    username = f"{kind}_{place.id}_bot_{secrets.token_hex(8)}"
    with write(core.session):
        now = core.now()
        bot = User(
            username=username, name=token.name, bot=True, session_nonce=secrets.token_urlsafe(16), created_at=now
        )
        core.session.add(bot)
        core.session.flush()
        token.user_id = bot.id
        core.session.add_all([token, Bot(user_id=bot.id, **owner)])
        core.session.add(Membership(user_id=bot.id, role=draft.role, created_at=now, **owner))
        details = {"scopes": token.scopes, "role": int(draft.role), "owner": username}
        record(core, Act.TOKEN_CREATED, token.name, place=place, actor=actor, details=details)
    return token, plain


def place_tokens(core: Core, place: Place, wanted: TokenFilter) -> Select[AccessToken]:
    """The tokens of `place` that are `wanted`."""
    return filtered(core, _tokens(place), wanted)


def find_place_token(core: Core, place: Place, token_id: int) -> AccessToken:
    """The token of that id, if it is one of `place`. Raises NotFound."""
    token = core.session.scalar(_tokens(place).where(AccessToken.id == token_id))
    if token is None:
        raise NotFound("")
    return token


def rotate_place_token(
    core: Core, place: Place, actor: User, token: AccessToken, expires_at: datetime | None = None
) -> tuple[AccessToken, str]:
    """As `rotate_token`: the text is as good as the role of the bot, so nobody gets that of one above themselves.

    Raises NotAllowed, Conflict, InvalidRequest.
    """
    require_rank(core, place, actor, roles(core, place, [token.user_id])[token.user_id])
    return rotate_token(core, token, expires_at)


def roles(core: Core, place: Place, user_ids: Iterable[int]) -> Mapping[int, int]:
    """The role in `place` of each of these bots; one whose membership somebody took away has none."""
    here = [getattr(Membership, name) == value for name, value in _owner(place).items()]
    query = select(Membership.user_id, Membership.role).where(Membership.user_id.in_(set(user_ids)), *here)
    found = {row.user_id: row.role for row in core.session.execute(query)}
    return {user_id: found.get(user_id, int(Role.NONE)) for user_id in user_ids}


def remove_bots(core: Core, which: ColumnElement[bool]) -> None:
    """*In a write*: remove these bots, with their tokens; what they started stays."""
    core.session.execute(delete(User).where(User.id.in_(select(Bot.user_id).where(which))))


def _tokens(place: Project | Group) -> Select[AccessToken]:
    here = [getattr(Bot, name) == value for name, value in _owner(place).items()]
    return select(AccessToken).join(Bot, Bot.user_id == AccessToken.user_id).where(*here)


def _owner(place: Project | Group) -> dict[str, int]:
    return {"project_id" if isinstance(place, Project) else "group_id": place.id}
