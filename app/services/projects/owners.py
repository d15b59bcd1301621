"""Who counts as an owner of a place: somebody who can act as one today."""

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import aliased
from sqlalchemy.orm.util import AliasedClass

from app.domain.permissions import Role
from app.models import Membership, User
from app.services.core import Core


def is_owner(core: Core, membership: type[Membership] | AliasedClass[Membership] = Membership) -> ColumnElement[bool]:
    """Whether a membership makes its user an owner: not of a bot, not of somebody blocked, and not expired."""
    person = aliased(User)
    people = select(person.id).where(person.bot.is_(False), person.blocked.is_(False))
    return and_(
        membership.role >= Role.OWNER,
        or_(membership.expires_at.is_(None), membership.expires_at > core.now()),
        membership.user_id.in_(people),
    )
