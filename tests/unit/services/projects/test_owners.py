"""A place keeps an owner who can act as one: not a bot, nor somebody who is blocked or whose time is over."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.domain.errors import Conflict
from app.domain.permissions import Role
from app.models import Group, Membership, write
from app.services.accounts.change_user import remove_user
from app.services.core import Core
from app.services.projects import members, save_member
from tests.factories import make_member, make_project, make_user


def test_who_is_blocked_or_expired_is_no_owner_that_is_left(core: Core) -> None:
    admin, last, other = make_user(core, "admin", is_admin=True), make_user(core, "last"), make_user(core, "other")
    project = make_project(core, "rocks/one")
    group = core.session.get_one(Group, project.group_id)
    user_id = last.id
    with write(core.session):
        core.session.query(Membership).delete()
    for place in (project, group):
        own = make_member(core, last, place, Role.OWNER)
        also = make_member(core, other, place, Role.OWNER)
        own_id, also_id = own.id, also.id
        ways: list[Callable[[], object]] = [
            lambda place=place: members.change_member(core, place, admin, user_id, Role.DEVELOPER),
            lambda place=place: members.remove_member(core, place, admin, user_id),
            lambda: remove_user(core, admin, user_id),
        ]
        if place is project:
            ways.append(lambda: save_member.save_member(core, project, admin, "last", Role.DEVELOPER))
            ways.append(lambda own_id=own_id: save_member.remove_member(core, project, admin, own_id))
        for blocked, expires_at in ((True, None), (False, core.now() - timedelta(seconds=1))):
            with write(core.session):
                held = core.session.get_one(Membership, also_id)
                held.user.blocked, held.expires_at = blocked, expires_at
            for way in ways:
                with pytest.raises(Conflict, match="owner"):
                    way()
        with write(core.session):
            core.session.get_one(Membership, also_id).expires_at = core.now() + timedelta(days=1)
        members.remove_member(core, place, admin, user_id)
