"""Make a user."""

import secrets

from sqlalchemy import func, select

from app import crypto
from app.domain.audit import Act
from app.domain.errors import AlreadyExists, InvalidRequest
from app.models import User, write
from app.services.audit.record import record
from app.services.core import Core
from app.services.projects.paths import check_segment

MIN_PASSWORD = 8
MAX_PASSWORD = 1024


def create_user(
    core: Core,
    *,
    username: str,
    name: str | None = None,
    email: str = "",
    password: str | None = None,
    is_admin: bool = False,
) -> tuple[User, str]:
    """A new user and the password to hand over, the given or a random one. Raises InvalidRequest, AlreadyExists."""
    check_segment(username, "username")
    name = username if name is None else name.strip()
    check_person(name, email)
    password = secrets.token_urlsafe(15) if password is None else check_new_password(password)
    hashed = crypto.hash_password(password)
    with write(core.session):
        if core.session.scalar(select(User.id).where(func.lower(User.username) == username.lower())):
            raise AlreadyExists(f"there is a user {username!r} already", "username")
        user = User(
            username=username,
            name=name,
            email=email,
            password_hash=hashed,
            is_admin=is_admin,
            session_nonce=secrets.token_urlsafe(16),
            created_at=core.now(),
        )
        core.session.add(user)
        record(core, Act.USER_CREATED, username, details={"is_admin": is_admin})
    return user, password


def check_person(name: str, email: str) -> None:
    """Raises InvalidRequest unless somebody may be called and written to so."""
    if not 1 <= len(name.strip()) <= 255:
        raise InvalidRequest("a name has 1 to 255 characters", "name")
    if len(email) > 255 or (email and "@" not in email[1:-1]):
        raise InvalidRequest(f"{email!r} is no mail address", "email")


def check_new_password(password: str) -> str:
    """`password`, when it may be one. Raises InvalidRequest."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidRequest(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters", "password")
    return password
