"""A group by its number or its path."""

from sqlalchemy import func, select

from app.domain.errors import NotFound
from app.domain.permissions import Role
from app.models import Group, User
from app.services import access
from app.services.core import Core


def find_group(core: Core, reference: str, user: User | None, least: Role) -> Group:
    """The group of a numeric id or a full path (any case), in which `user` has the role `least` or a higher one.

    Raises NotFound where they may not know of it, NotAllowed where their role is too low.
    """
    if reference.isascii() and reference.isdigit() and len(reference) < 19:
        group = core.session.get(Group, int(reference))
    else:
        group = core.session.scalar(select(Group).where(func.lower(Group.full_path) == reference.lower()))
    if group is None:
        raise NotFound("Group")
    access.require_group(core, user, group, least)
    return group
