"""What somebody may do in a project, and how little is asked of the database to know it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.errors import NotAllowed, NotFound
from app.domain.permissions import Action, Role
from app.models import Group, Membership, Project, write
from app.services.access import find_project, may, role_of
from app.services.core import Core
from tests.databases import BOTH
from tests.factories import make_member, make_project, make_user
from tests.support.statements import statements


@pytest.fixture
def project(core: Core) -> Project:
    """In a group of a group of a group."""
    return make_project(core, "top/middle/low/project", visibility="private")


def group(core: Core, full_path: str) -> Group:
    return core.session.scalars(select(Group).where(Group.full_path == full_path)).one()


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_the_highest_living_role_of_the_project_and_of_every_group_above_counts(core: Core, project: Project) -> None:
    user, beside = make_user(core), make_project(core, "beside/other")
    make_member(core, user, beside, Role.OWNER)
    make_member(core, user, beside.group, Role.OWNER)
    assert role_of(core, user, project) is Role.NONE
    places = (
        (group(core, "top/middle"), Role.REPORTER),
        (project, Role.GUEST),
        (group(core, "top"), Role.DEVELOPER),
        (project.group, Role.MAINTAINER),
    )
    found = []
    for place, role in places:
        make_member(core, user, place, role)
        found.append(role_of(core, user, project))
    assert found == [Role.REPORTER, Role.REPORTER, Role.DEVELOPER, Role.MAINTAINER]
    with write(core.session):
        for member in core.session.scalars(select(Membership).where(Membership.role >= Role.DEVELOPER)):
            member.expires_at = core.now() - timedelta(seconds=1)
    assert role_of(core, user, project) is Role.REPORTER
    with write(core.session):
        user.blocked = True
    assert role_of(core, user, project) is Role.NONE


def test_a_project_is_found_for_whoever_may_do_what_they_came_for(core: Core, project: Project) -> None:
    guest, stranger, admin = make_user(core), make_user(core), make_user(core, is_admin=True)
    make_member(core, guest, project, Role.GUEST)
    assert find_project(core, project.id, guest, Action.READ_PROJECT) is project
    with pytest.raises(NotAllowed):
        find_project(core, project.full_path, guest, Action.READ_CODE)
    for user in (stranger, None):
        with pytest.raises(NotFound):
            find_project(core, project.id, user, Action.READ_CODE)
    assert find_project(core, project.full_path.upper(), admin, Action.DESTROY_PROJECT) is project
    with write(core.session):
        admin.blocked = True
    with pytest.raises(NotFound):
        find_project(core, project.id, admin)


def test_the_role_is_asked_for_once_and_only_where_it_matters(core: Core, project: Project) -> None:
    member, admin, public = make_user(core), make_user(core, is_admin=True), make_project(core, visibility="public")
    make_member(core, member, project, Role.DEVELOPER)
    asked = []
    for user, of, action in (
        (member, project, Action.LINT),
        (admin, project, Action.DESTROY_PROJECT),
        (member, public, Action.READ_ARTIFACTS),
        (None, public, Action.READ_ARTIFACTS),
    ):
        for row in (user, of):
            if row is not None:
                core.session.refresh(row)
        with statements() as seen:
            assert find_project(core, of.id, user, action) is of
            assert may(core, Action.READ_PROJECT, user, of)
        asked.append(len([statement for statement, _ in seen if "memberships" in statement]))
    assert asked == [2, 0, 0, 0]
