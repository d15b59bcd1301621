"""Replace a personal access token by a new one that may do the same."""

from datetime import datetime, timedelta

from app import crypto
from app.domain.audit import Act
from app.domain.errors import Conflict, InvalidRequest
from app.models import AccessToken, write
from app.services.accounts.create_token import HINT_LENGTH
from app.services.audit.record import record
from app.services.core import Core

#: How long the new one lives, where nobody says.
LIFETIME = timedelta(days=7)


def rotate_token(core: Core, token: AccessToken, expires_at: datetime | None = None) -> tuple[AccessToken, str]:
    """Revoke `token`; return its successor and the text of that, which is shown this once.

    Raises Conflict where it opens nothing any more, InvalidRequest for a time in the past.
    """
    now, token_id = core.now(), token.id
    if expires_at is not None and expires_at <= now:
        raise InvalidRequest("a token cannot expire in the past", "expires_at")
    plain = crypto.new_token("glpat-")
    with write(core.session):
        held = core.session.get_one(AccessToken, token_id, with_for_update=True, populate_existing=True)
        if held.revoked_at is not None or (held.expires_at is not None and held.expires_at <= now):
            raise Conflict("the token has been revoked, or has expired")
        held.revoked_at = now
        successor = AccessToken(
            user_id=held.user_id,
            name=held.name,
            description=held.description,
            token_hash=crypto.token_hash(plain),
            hint=plain[-HINT_LENGTH:],
            scopes=list(held.scopes),
            created_at=now,
            expires_at=expires_at or now + LIFETIME,
        )
        core.session.add(successor)
        record(core, Act.TOKEN_ROTATED, held.name, details={"owner": held.user.username})
    return successor, plain
