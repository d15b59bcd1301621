"""The session of somebody who signed in with a password: it begins and ends the same way for every edge."""

import time

from flask import session
from flask_login import login_user, logout_user

from app.models import User

#: A session ends after two months whatever happens.
LONGEST_SECONDS = 60 * 86_400
_SIGNED_IN_AT = "signed_in_at"


def begin(user: User) -> None:
    """Make this the session of `user`. Nothing of the one before survives: who planted it knows nothing of this one."""
    session.clear()
    login_user(user)
    session.permanent = True
    session[_SIGNED_IN_AT] = int(time.time())


def end() -> None:
    """Sign out."""
    logout_user()
    session.clear()


def is_young() -> bool:
    """Whether the session is not older than any may be."""
    return bool(time.time() - session.get(_SIGNED_IN_AT, 0) < LONGEST_SECONDS)
