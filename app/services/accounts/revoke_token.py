"""Take a personal access token back."""

from app.domain.audit import Act
from app.domain.errors import NotFound
from app.models import AccessToken, User, write
from app.services.audit.record import record
from app.services.core import Core


def revoke_token(core: Core, user: User, token_id: int) -> AccessToken:
    """From now on the token opens nothing. Raises NotFound when `user` has no such token."""
    user_id = user.id
    with write(core.session):
        token = core.session.get(AccessToken, token_id)
        if token is None or token.user_id != user_id:
            raise NotFound("Token")
        if token.revoked_at is None:
            token.revoked_at = core.now()
            record(core, Act.TOKEN_REVOKED, token.name, details={"owner": token.user.username})
    return token
