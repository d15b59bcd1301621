"""Change a user's password and end their sessions. That an administrator asks is seen to by the edge."""

import secrets

from app import crypto
from app.domain.audit import Act
from app.domain.errors import InvalidRequest, NotFound
from app.models import User, write
from app.services.accounts.create_user import check_new_password
from app.services.accounts.sign_in import check_password
from app.services.accounts.sign_ins import forget_sign_ins
from app.services.audit.record import record
from app.services.core import Core


def end_sessions(core: Core, user_id: int) -> User:
    """Sign a user out everywhere; personal access tokens stay. Raises NotFound."""
    with write(core.session):
        user = _held(core, user_id)
        user.session_nonce = secrets.token_urlsafe(16)
        forget_sign_ins(core, user_id)
        record(core, Act.SIGNED_OUT_EVERYWHERE, user.username)
    return user


def reset_password(core: Core, user_id: int) -> tuple[User, str]:
    """A new random password, which is shown this once; all sessions end. Raises NotFound."""
    password = secrets.token_urlsafe(15)
    return _set_password(core, user_id, password), password


def change_password(core: Core, user: User, current: str, wanted: str, address: str) -> User:
    """Another password for `user`, who gives the `current` one from `address`; all sessions end.

    Raises InvalidRequest (field current or password), and LimitExceeded, Conflict as `check_password`.
    """
    user_id = user.id
    check_new_password(wanted)
    if check_password(core, user.username, current, address) is None:
        raise InvalidRequest("this is not your password", "current")
    return _set_password(core, user_id, wanted)


def _set_password(core: Core, user_id: int, password: str) -> User:
    hashed = crypto.hash_password(password)
    with write(core.session):
        user = _held(core, user_id)
        user.password_hash = hashed
        user.session_nonce = secrets.token_urlsafe(16)
        forget_sign_ins(core, user_id)
        record(core, Act.PASSWORD_CHANGED, user.username)
    return user


def _held(core: Core, user_id: int) -> User:
    user = core.session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    if user is None:
        raise NotFound("User")
    return user
