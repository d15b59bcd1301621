"""A user by their name, or by name or id as API callers may write it."""

from sqlalchemy import func, select

from app.domain.errors import NotFound
from app.models import User
from app.services.core import Core

#: No id has more.
MAX_DIGITS = 18


def find_user(core: Core, username: str) -> User:
    """The user of that name, in any case. Raises NotFound."""
    user = core.session.scalar(select(User).where(func.lower(User.username) == username.strip().lower()))
    if user is None:
        raise NotFound("User")
    return user


def find_user_or_none(core: Core, name: str) -> User | None:
    """The user whose id, or else whose name in any case, is `name`."""
    if name.isascii() and name.isdigit():
        return core.session.get(User, int(name)) if len(name) <= MAX_DIGITS else None
    return core.session.scalar(select(User).where(func.lower(User.username) == name.lower()))
