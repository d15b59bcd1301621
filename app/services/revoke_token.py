"""A user's personal access tokens: the list, and taking one back."""

from sqlalchemy import select

from app.domain.errors import NotFound
from app.models import AccessToken, User, write
from app.services.core import Core


def list_tokens(core: Core, user: User) -> list[AccessToken]:
    """The tokens of `user` that still open something, newest first."""
    tokens = core.session.scalars(
        select(AccessToken)
        .where(AccessToken.user_id == user.id, AccessToken.revoked_at.is_(None))
        .order_by(AccessToken.id.desc())
    )
    now = core.now()
    return [token for token in tokens if token.expires_at is None or token.expires_at > now]


def revoke_token(core: Core, user: User, token_id: int) -> AccessToken:
    """From now on the token opens nothing. Raises NotFound when `user` has no such token."""
    user_id = user.id
    with write(core.session):
        token = core.session.get(AccessToken, token_id)
        if token is None or token.user_id != user_id:
            raise NotFound("Token")
        if token.revoked_at is None:
            token.revoked_at = core.now()
    return token
