"""Sessions of the pages: each is a row from signing in to signing out, so that a copy of a cookie ends with it."""

import secrets
from datetime import timedelta

from sqlalchemy import Select, delete, select

from app import crypto
from app.domain.audit import Act
from app.domain.errors import NotFound
from app.models import SignIn, User, write
from app.services.audit.record import record
from app.services.core import Core

#: A session ends after so long without use, and after so long whatever happens.
IDLE, LONGEST = timedelta(days=14), timedelta(days=60)
#: The last use is written at most so often. It counts for IDLE, and is not meant to be exact.
NOTED_EVERY = timedelta(days=1)
#: So many sessions somebody may have; the oldest makes way.
MOST = 100


def begin_sign_in(core: Core, user: User, address: str = "", agent: str = "") -> str:
    """A new session of `user`; returns the text that its cookie holds, and nothing else does."""
    plain, user_id, now = secrets.token_urlsafe(24), user.id, core.now()
    with write(core.session):
        kept = sign_ins_of(core, user_id).limit(MOST - 1).with_only_columns(SignIn.id)
        live = core.session.scalars(kept).all()
        core.session.execute(delete(SignIn).where(SignIn.user_id == user_id, SignIn.id.not_in(live)))
        core.session.add(
            SignIn(
                user_id=user_id,
                token_hash=crypto.token_hash(plain),
                address=_storable(address)[:64],
                agent=_storable(agent)[:255],
                created_at=now,
                last_used_at=now,
            )
        )
    return plain


def _storable(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def is_signed_in(core: Core, user_id: int, plain: str) -> bool:
    """Whether `plain` is of a session of that user which has not ended. Notes, once a day, that it is in use."""
    query = sign_ins_of(core, user_id).where(SignIn.token_hash == crypto.token_hash(plain))
    row = core.session.scalar(query)
    if row is None:
        return False
    now, row_id = core.now(), row.id
    if now - row.last_used_at >= NOTED_EVERY:
        with write(core.session):
            fresh = core.session.get(SignIn, row_id)
            if fresh is None:  # signed out meanwhile
                return False
            fresh.last_used_at = now
    return True


def sign_ins_of(core: Core, user_id: int) -> Select[SignIn]:
    """The sessions of a user that have not ended, newest first."""
    now = core.now()
    live = (SignIn.created_at > now - LONGEST, SignIn.last_used_at > now - IDLE)
    return select(SignIn).where(SignIn.user_id == user_id, *live).order_by(SignIn.id.desc())


def end_sign_in(core: Core, plain: str) -> None:
    """Sign out: the session of `plain`, if there is one, opens nothing any more."""
    hashed = crypto.token_hash(plain)
    with write(core.session):
        core.session.execute(delete(SignIn).where(SignIn.token_hash == hashed))


def this_sign_in(core: Core, user_id: int, plain: str) -> int | None:
    """Which of them is the session of `plain`; None where that has ended."""
    query = sign_ins_of(core, user_id).where(SignIn.token_hash == crypto.token_hash(plain))
    return core.session.scalar(query.with_only_columns(SignIn.id).order_by(None))


def revoke_sign_in(core: Core, user: User, sign_in_id: int) -> None:
    """End a session of `user` from elsewhere. Raises NotFound."""
    user_id, username = user.id, user.username
    with write(core.session):
        row = core.session.scalar(select(SignIn).where(SignIn.user_id == user_id, SignIn.id == sign_in_id))
        if row is None:
            raise NotFound("Session")
        record(
            core, Act.SESSION_REVOKED, username, details={"begun_at": row.created_at.isoformat(), "from": row.address}
        )
        core.session.delete(row)


def forget_sign_ins(core: Core, user_id: int) -> None:
    """*In a write* that shuts a user out of the pages: all their sessions end."""
    core.session.execute(delete(SignIn).where(SignIn.user_id == user_id))
