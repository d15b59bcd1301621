"""The session of somebody who signed in with a password: it begins and ends the same way for every edge.

The cookie says whose it is (`User.get_id`) and holds a secret, of which there is a row (`services.accounts.sign_ins`)
until it ends: who signs out makes every copy of the cookie worthless.
"""

import time

from flask import request, session
from flask_login import login_user, logout_user

from app.http.edge import core
from app.models import User
from app.services.accounts import sign_ins

_SECRET = "sign_in"  # noqa: S105
_USED_ON = "used_on"
_DAY_SECONDS = 86_400


def begin(user: User) -> None:
    """Make this the session of `user`. Nothing of the one before survives: who planted it knows nothing of this one."""
    end()
    secret = sign_ins.begin_sign_in(core(), user, request.remote_addr or "", request.user_agent.string)
    login_user(user)
    session.permanent = True
    session[_SECRET] = secret
    keep()


def end() -> None:
    """Sign out."""
    if secret := session.get(_SECRET):
        sign_ins.end_sign_in(core(), secret)
    logout_user()
    session.clear()


def keep() -> None:
    """Note that the session is in use, so that it does not end as an idle one.

    Once a day at most, so that few answers set the cookie anew.
    """
    today = int(time.time()) // _DAY_SECONDS
    if session.get(_USED_ON) != today:
        session[_USED_ON] = today


def secret() -> str:
    """What the cookie of this request proves its session by; empty without one."""
    found = session.get(_SECRET, "")
    return found if isinstance(found, str) else ""
