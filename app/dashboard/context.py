"""Who looks, at which project, and what they may do there: worked out once a request."""

from typing import cast

from flask import g
from flask_login import current_user

from app.domain.errors import NotFound
from app.domain.permissions import Action, Role
from app.http.edge import core
from app.models import Group, Project, User
from app.services import access
from app.services.projects.groups import find_group_at


class SignInRequired(Exception):
    """The page is for somebody who is signed in: ask them to, then come back."""


def visitor() -> User | None:
    """The user who is signed in, None for an anonymous visitor."""
    return cast(User, current_user._get_current_object()) if current_user.is_authenticated else None


def signed_in() -> User:
    """The user. Raises SignInRequired."""
    user = visitor()
    if user is None:
        raise SignInRequired
    return user


def administrator() -> User:
    """The user, an administrator. Raises SignInRequired, and NotFound for others: they need not know of the page."""
    user = signed_in()
    if not user.is_admin:
        raise NotFound("Page")
    return user


def open_project(path: str, action: Action = Action.READ_PROJECT) -> Project:
    """The project at `path`, where the visitor may do `action`.

    An anonymous visitor is asked to sign in whether it exists or not, so that the answer tells nothing.
    """
    parts, user = core(), visitor()
    try:
        project = access.find_project_at(parts, path, user)
    except NotFound:
        if user is None:
            raise SignInRequired from None
        raise
    g.project = project
    if user is None and not can(action):
        raise SignInRequired
    access.require(parts, action, user, project)
    return project


def owned_group(path: str) -> Group:
    """The group at `path`, for an owner who is signed in. Raises SignInRequired, NotFound and NotAllowed."""
    return find_group_at(core(), path, signed_in(), Role.OWNER)


def can(action: Action | str) -> bool:
    """Whether the visitor may do `action` in the project of this request."""
    known: dict[Action, bool] = g.setdefault("abilities", {})
    wanted = Action(action)
    if wanted not in known:
        known[wanted] = access.may(core(), wanted, visitor(), g.project)
    return known[wanted]
