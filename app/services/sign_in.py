"""Sign in with a password, as slowly as guessing has to be and as fast as a person may expect."""

from threading import BoundedSemaphore

from app.domain.errors import Conflict, LimitExceeded
from app.models import User, write
from app.services.authenticate import user_by_password
from app.services.core import Core
from app.services.sign_in_throttle import SignInThrottle

#: One check of a password takes 64 MiB and a core for some 50 ms: a crowd of them must not take the server down.
AT_ONCE = 4
WAIT = 10.0
_turns = BoundedSemaphore(AT_ONCE)


def sign_in(core: Core, throttle: SignInThrottle, username: str, password: str, address: str) -> User | None:
    """The user of that name and password, None when there is none.

    Raises LimitExceeded after many wrong guesses (`limit`: seconds to wait), Conflict when too many sign in at once.
    """
    wait = throttle.seconds_to_wait(username, address)
    if wait > 0:
        raise LimitExceeded(f"Too many wrong guesses. Try again in {round(wait) + 1} seconds.", round(wait) + 1)
    if not _turns.acquire(timeout=WAIT):
        raise Conflict("The server is busy. Try again in a few seconds.")
    try:
        user = user_by_password(core, username, password)
    finally:
        _turns.release()
    if user is None:
        throttle.failed(username, address)
        return None
    throttle.succeeded(username, address)
    user_id = user.id
    with write(core.session):
        fresh = core.session.get_one(User, user_id)
        fresh.last_sign_in_at = core.now()
    return fresh
