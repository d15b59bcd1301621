"""Roles and actions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.permissions import TABLE, Action, Role, Visibility, allowed

READS = {
    Action.READ_PIPELINE,
    Action.READ_JOB,
    Action.READ_TRACE,
    Action.READ_ARTIFACTS,
    Action.READ_ENVIRONMENTS,
}


def test_every_action_is_in_the_table() -> None:
    assert set(TABLE) == set(Action)


@given(st.sampled_from(Action), st.sampled_from(Visibility), st.booleans(), st.data())
def test_a_higher_role_may_do_all_that_a_lower_one_may(
    action: Action, visibility: Visibility, public: bool, data
) -> None:
    lower, higher = sorted(data.draw(st.lists(st.sampled_from(Role), min_size=2, max_size=2)))
    if allowed(action, role=lower, visibility=visibility, public_pipelines=public):
        assert allowed(action, role=higher, visibility=visibility, public_pipelines=public)


@given(st.sampled_from(Action))
def test_an_administrator_may_do_everything_and_a_stranger_nothing_in_a_private_project(action: Action) -> None:
    assert allowed(action, is_admin=True)
    assert not allowed(action, role=Role.NONE, visibility="private")


@given(st.sampled_from(Action), st.sampled_from(Visibility), st.booleans())
def test_a_stranger_only_ever_reads(action: Action, visibility: Visibility, signed_in: bool) -> None:
    if allowed(action, visibility=visibility, signed_in=signed_in):
        assert action in READS | {
            Action.READ_PROJECT,
            Action.READ_RELEASES,
            Action.READ_CODE,
            Action.READ_SCHEDULES,
        }


def test_who_sees_which_project() -> None:
    assert allowed(Action.READ_PROJECT, visibility="public", signed_in=False)
    assert allowed(Action.READ_PROJECT, visibility="internal", signed_in=True)
    assert not allowed(Action.READ_PROJECT, visibility="internal", signed_in=False)
    assert allowed(Action.READ_PROJECT, role=Role.GUEST)


@pytest.mark.parametrize("action", sorted(READS))
def test_public_pipelines_are_seen_by_viewers_and_others_by_reporters(action: Action) -> None:
    assert allowed(action, visibility="public", signed_in=False)
    assert allowed(action, role=Role.GUEST)
    assert not allowed(action, visibility="public", signed_in=False, public_pipelines=False)
    assert not allowed(action, role=Role.GUEST, public_pipelines=False)
    assert allowed(action, role=Role.REPORTER, public_pipelines=False)


@pytest.mark.parametrize(
    ("action", "least"),
    [
        (Action.READ_CODE, Role.REPORTER),
        (Action.CREATE_PIPELINE, Role.DEVELOPER),
        (Action.UPDATE_JOB, Role.DEVELOPER),
        (Action.ERASE_JOB, Role.DEVELOPER),
        (Action.ERASE_ANY_JOB, Role.MAINTAINER),
        (Action.PUSH, Role.DEVELOPER),
        (Action.PUSH_PROTECTED, Role.MAINTAINER),
        (Action.ADMIN_VARIABLES, Role.MAINTAINER),
        (Action.DESTROY_PIPELINE, Role.OWNER),
    ],
)
def test_least_roles_written_down_by_hand(action: Action, least: Role) -> None:
    assert [role for role in Role if allowed(action, role=role)] == [role for role in Role if role >= least]
