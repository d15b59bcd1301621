"""The session of somebody who signed in with a password: it begins and ends the same way for every edge."""

import time

from flask import session
from flask_login import login_user, logout_user

from app.models import User

#: A session ends after two months whatever happens.
LONGEST_SECONDS = 60 * 86_400
_SIGNED_IN_AT = "signed_in_at"
_USED_ON = "used_on"
_DAY_SECONDS = 86_400


def begin(user: User) -> None:
    """Make this the session of `user`. Nothing of the one before survives: who planted it knows nothing of this one."""
    session.clear()
    login_user(user)
    session.permanent = True
    session[_SIGNED_IN_AT] = int(time.time())
    keep()


def end() -> None:
    """Sign out."""
    logout_user()
    session.clear()


def keep() -> None:
    """Note that the session is in use, so that it does not end as an idle one.

    Once a day at most: an answer that sets the cookie anew, on its way while another one signs out, would undo that.
    """
    today = int(time.time()) // _DAY_SECONDS
    if session.get(_USED_ON) != today:
        session[_USED_ON] = today


def is_young() -> bool:
    """Whether the session is not older than any may be."""
    return bool(time.time() - session.get(_SIGNED_IN_AT, 0) < LONGEST_SECONDS)
