"""How long somebody waits who guesses."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.errors import LimitExceeded
from app.models import SignInGuess, write
from app.services.accounts import sign_in_throttle
from app.services.accounts.sign_in import check_password
from app.services.accounts.sign_in_throttle import (
    FORGET_AFTER,
    FREE_TRIES,
    FREE_TRIES_OF_PLACE,
    LONGEST_WAIT,
    forget_guesses,
    forget_old_guesses,
    look,
    note_guess,
)
from tests.databases import BOTH
from tests.factories import PASSWORD, make_user


class Clock:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self):
        return self.now


class Door:
    """The throttle with a clock that stands still."""

    def __init__(self, core):
        self.clock = Clock()
        self.core = replace(core, now=self.clock)

    def wait(self, username, address):
        return look(self.core, username, address).wait

    def failed(self, username, address, times=1):
        with write(self.core.session):
            for _ in range(times):
                note_guess(self.core, username, address)

    def later(self, seconds):
        self.clock.now += timedelta(seconds=seconds)


@pytest.fixture
def door(core):
    return Door(core)


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_the_first_tries_are_free_then_each_doubles_the_wait_up_to_a_bound(door):
    for _ in range(FREE_TRIES):
        assert door.wait("ada", "a") == 0
        door.failed("Ada", "a")
    waits = []
    for _ in range(12):
        waits.append(door.wait("ada", "a"))
        door.later(waits[-1])
        assert door.wait("ada", "a") == 0
        door.failed("ada", "a")
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == LONGEST_WAIT
    door.later(FORGET_AFTER.total_seconds() + 1)
    door.failed("ada", "a")
    assert door.wait("ada", "a") == 0, "all that was an hour ago"


def test_others_and_other_places_do_not_wait_but_all_of_one_network_do(door):
    door.failed("ada", "192.0.2.1", 20)
    assert (door.wait("ada", "192.0.2.2"), door.wait("eve", "192.0.2.1")) == (0, 0)
    assert door.wait("ada", "::ffff:192.0.2.1") > 0
    door.failed("ada", "2001:db8:1:2::a", 20)
    assert door.wait("ada", "2001:db8:1:2:ffff::b") > 0
    assert door.wait("ada", "2001:db8:1:3::a") == 0


def test_many_users_tried_from_one_place_slow_that_place_down(door):
    for number in range(FREE_TRIES_OF_PLACE):
        door.failed(f"user{number}", "a")
    assert door.wait("somebody", "a") > 0
    assert door.wait("somebody", "b") == 0
    forget_guesses(door.core, "somebody", "a")
    assert door.wait("somebody", "a") > 0, "whoever knows one password may go on guessing others no faster"


def test_processes_share_what_they_know_and_the_right_password_forgets_it(core):
    make_user(core, "ada", password=PASSWORD)
    for _ in range(FREE_TRIES - 1):
        assert check_password(core, "ada", "wrong", "a") is None
    assert check_password(core, "ADA", PASSWORD, "a") is not None
    assert not look(core, "ada", "a").any
    for _ in range(FREE_TRIES):
        assert check_password(core, "ada", "wrong", "a") is None
    with pytest.raises(LimitExceeded):
        check_password(replace(core), "ada", PASSWORD, "a")


def test_nothing_that_was_typed_is_kept_and_what_is_kept_is_bounded(door, monkeypatch):
    monkeypatch.setattr(sign_in_throttle, "REMEMBERED", 10)
    for number in range(30):
        door.failed(f"user{number}", f"address{number}")
        door.later(1)
    rows = door.core.session.query(SignInGuess).all()
    assert not any("user" in row.key or "address" in row.key for row in rows)
    assert forget_old_guesses(door.core) == 50
    assert door.core.session.query(SignInGuess).count() == 10
    door.later(FORGET_AFTER.total_seconds() + 1)
    assert forget_old_guesses(door.core) == 10
