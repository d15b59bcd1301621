"""Passwords, on the sign-in page and from git: as slowly as guessing has to be, as fast as a person may expect."""

from threading import BoundedSemaphore

from sqlalchemy import func, select

from app.domain.audit import Act
from app.domain.errors import Conflict, LimitExceeded
from app.models import User, write
from app.services.accounts import sign_in_throttle
from app.services.accounts.authenticate import user_by_password
from app.services.audit.record import record
from app.services.core import Core

#: One check of a password takes 64 MiB and a core for some 50 ms: a crowd of them must not take the server down.
AT_ONCE = 4
WAIT = 10.0
_turns = BoundedSemaphore(AT_ONCE)


def check_password(core: Core, username: str, password: str, address: str) -> User | None:
    """The user of that name and password, None when there is none. `address`: where the guess comes from.

    Raises LimitExceeded after many wrong guesses (`limit`: seconds to wait), Conflict when too many are checked at
    once.
    """
    guesses = sign_in_throttle.look(core, username, address)
    if guesses.wait > 0:
        seconds = round(guesses.wait) + 1
        raise LimitExceeded(f"Too many wrong guesses. Try again in {seconds} seconds.", seconds)
    core.session.rollback()  # whoever waits for a turn holds no connection
    if not _turns.acquire(timeout=WAIT):
        raise Conflict("The server is busy. Try again in a few seconds.")
    try:
        user = user_by_password(core, username, password)
    finally:
        _turns.release()
    if user is None:
        _note_refusal(core, username, address)
    elif guesses.any:
        user_id = user.id
        sign_in_throttle.forget_guesses(core, username, address)
        user = core.session.get_one(User, user_id)
    return user


def sign_in(core: Core, username: str, password: str, address: str) -> User | None:
    """As `check_password`, and the user's last sign-in is noted."""
    user = check_password(core, username, password, address)
    if user is None:
        return None
    user_id = user.id
    with write(core.session):
        fresh = core.session.get_one(User, user_id)
        fresh.last_sign_in_at = core.now()
        record(core, Act.SIGNED_IN, fresh.username, actor=fresh, way="password")
    return fresh


def _note_refusal(core: Core, username: str, address: str) -> None:
    """A name that is nobody's is not written down: people type passwords into the wrong field."""
    with write(core.session):
        sign_in_throttle.note_guess(core, username, address)
        known = core.session.scalar(select(User.username).where(func.lower(User.username) == username.lower()))
        record(core, Act.SIGN_IN_FAILED, known or "an unknown name")
