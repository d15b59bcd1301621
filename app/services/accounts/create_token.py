"""Make a personal access token."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from app import crypto
from app.domain.audit import Act
from app.domain.errors import InvalidRequest
from app.models import AccessToken, User, write
from app.services.audit.record import record
from app.services.core import Core

#: What a token may be allowed to do (gitlab.md B.11). `api` includes all of these.
SCOPES = (
    *("api", "read_api", "read_user", "read_repository", "write_repository", "create_runner", "manage_runner"),
    "self_rotate",
)
#: For administrators: to call the API as another user.
SUDO = "sudo"
HINT_LENGTH = 4
MAX_DESCRIPTION = 255


def create_token(
    core: Core,
    *,
    user: User,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    description: str | None = None,
) -> tuple[AccessToken, str]:
    """A new token of `user`, and its text, which is shown this once. Raises InvalidRequest."""
    token, plain = draft_token(core, name, scopes, expires_at, description, scopes_for(user))
    user_id, owner = user.id, user.username
    with write(core.session):
        token.user_id = user_id
        core.session.add(token)
        record(core, Act.TOKEN_CREATED, token.name, details={"scopes": token.scopes, "owner": owner})
    return token, plain


def scopes_for(user: User) -> tuple[str, ...]:
    """What a personal token of `user` may be allowed to do."""
    return (*SCOPES, SUDO) if user.is_admin else SCOPES


def draft_token(
    core: Core,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    description: str | None = None,
    allowed: Sequence[str] = SCOPES,
) -> tuple[AccessToken, str]:
    """The row of a new token, still of nobody and not in the session, and its text. Raises InvalidRequest."""
    chosen = list(dict.fromkeys(scopes))
    name = checked_name(name)
    if unknown := [scope for scope in chosen if scope not in allowed]:
        raise InvalidRequest(f"there is no scope {unknown[0]!r}; the scopes are {', '.join(allowed)}", "scopes")
    if not chosen:
        raise InvalidRequest("a token needs at least one scope", "scopes")
    if expires_at is not None and expires_at <= core.now():
        raise InvalidRequest("a token cannot expire in the past", "expires_at")
    if len(description or "") > MAX_DESCRIPTION:
        raise InvalidRequest(f"is too long (maximum is {MAX_DESCRIPTION} characters)", "description")
    plain = crypto.new_token("glpat-")
    token = AccessToken(
        name=name,
        description=description,
        token_hash=crypto.token_hash(plain),
        hint=plain[-HINT_LENGTH:],
        scopes=chosen,
        created_at=core.now(),
        expires_at=expires_at,
    )
    return token, plain


def checked_name(name: str) -> str:
    """The name as it is kept. Raises InvalidRequest."""
    name = name.strip()
    if not 1 <= len(name) <= 255:
        raise InvalidRequest("a token's name has 1 to 255 characters", "name")
    return name
