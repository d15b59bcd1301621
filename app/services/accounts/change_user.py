"""An administrator changes somebody's account, or removes it."""

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from app import crypto
from app.domain.audit import Act
from app.domain.errors import AlreadyExists, Conflict, NotFound
from app.domain.permissions import Role
from app.models import Membership, User, write
from app.services.accounts.create_user import check_new_password, check_person
from app.services.accounts.sign_ins import forget_sign_ins
from app.services.audit.record import changes, record
from app.services.core import Core
from app.services.projects.owners import is_owner
from app.services.projects.paths import check_segment

#: What can be changed, by column; `password` as well.
SETTINGS = ("username", "name", "email", "is_admin")


def change_user(core: Core, actor: User, user_id: int, values: Mapping[str, Any]) -> User:
    """Set what `values` name, of SETTINGS and `password`. A new password ends the user's sessions.

    Raises NotFound, InvalidRequest, AlreadyExists, Conflict for giving up one's own administration.
    """
    password = values.get("password")
    hashed = crypto.hash_password(check_new_password(password)) if password is not None else None
    if "username" in values:
        check_segment(values["username"], "username")
    check_person(values.get("name", "-"), values.get("email", ""))
    if user_id == actor.id and values.get("is_admin") is False:
        raise Conflict("you cannot give up your own administration")
    with write(core.session):
        user = _held(core, user_id)
        if "username" in values:
            _require_free(core, values["username"], user_id)
        wanted = {name: values[name] for name in SETTINGS if name in values}
        if changed := changes(user, wanted):
            record(core, Act.USER_CHANGED, user.username, actor=actor, details=changed)
        for name, value in wanted.items():
            setattr(user, name, value)
        if hashed is not None:
            user.password_hash, user.session_nonce = hashed, secrets.token_urlsafe(16)
            forget_sign_ins(core, user_id)
            record(core, Act.PASSWORD_CHANGED, user.username, actor=actor)
    return user


def remove_user(core: Core, actor: User, user_id: int) -> None:
    """Remove an account with its tokens and memberships; what it started stays. Raises NotFound, Conflict.

    Oneself stays, and so does whoever is the only owner of a group or project.
    """
    if user_id == actor.id:
        raise Conflict("you cannot remove yourself")
    with write(core.session):
        user = _held(core, user_id)
        if _owns_alone(core, user_id):
            raise Conflict("the user is the only owner of a group or project")
        record(core, Act.USER_REMOVED, user.username, actor=actor)
        core.session.delete(user)


def _held(core: Core, user_id: int) -> User:
    user = core.session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise NotFound("User")
    return user


def _require_free(core: Core, username: str, user_id: int) -> None:
    taken = select(User.id).where(func.lower(User.username) == username.lower(), User.id != user_id)
    if core.session.scalar(taken) is not None:
        raise AlreadyExists("has already been taken", "username")


def _owns_alone(core: Core, user_id: int) -> bool:
    other = aliased(Membership)
    same = or_(other.project_id == Membership.project_id, other.group_id == Membership.group_id)
    another = select(other.id).where(same, is_owner(core, other), other.user_id != user_id)
    mine = select(Membership.id).where(Membership.user_id == user_id, Membership.role >= Role.OWNER)
    return core.session.scalar(mine.where(~another.exists()).limit(1)) is not None
