"""A user by their name."""

from sqlalchemy import func, select

from app.domain.errors import NotFound
from app.models import User
from app.services.core import Core


def find_user(core: Core, username: str) -> User:
    """The user of that name, in any case. Raises NotFound."""
    user = core.session.scalar(select(User).where(func.lower(User.username) == username.strip().lower()))
    if user is None:
        raise NotFound("User")
    return user
