"""How long somebody waits who guesses."""

from app.services.accounts import sign_in_throttle
from app.services.accounts.sign_in_throttle import FREE_TRIES, FREE_TRIES_OF_ADDRESS, LONGEST_WAIT, SignInThrottle


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def _throttle() -> tuple[SignInThrottle, Clock]:
    clock = Clock()
    return SignInThrottle(clock), clock


def test_the_first_tries_are_free_then_each_doubles_the_wait_up_to_a_bound():
    throttle, clock = _throttle()
    for _ in range(FREE_TRIES):
        assert throttle.seconds_to_wait("ada", "a") == 0
        throttle.failed("Ada", "a")
    waits = []
    for _ in range(12):
        waits.append(throttle.seconds_to_wait("ada", "a"))
        clock.now += waits[-1]
        assert throttle.seconds_to_wait("ada", "a") == 0
        throttle.failed("ada", "a")
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == LONGEST_WAIT


def test_others_and_other_places_do_not_wait():
    throttle, _ = _throttle()
    for _ in range(20):
        throttle.failed("ada", "a")
    assert throttle.seconds_to_wait("ada", "b") == 0
    assert throttle.seconds_to_wait("eve", "a") == 0


def test_many_users_tried_from_one_place_slow_that_place_down():
    throttle, _ = _throttle()
    for number in range(FREE_TRIES_OF_ADDRESS):
        throttle.failed(f"user{number}", "a")
    assert throttle.seconds_to_wait("somebody", "a") > 0
    assert throttle.seconds_to_wait("somebody", "b") == 0


def test_the_right_password_forgets_and_so_does_an_hour():
    throttle, clock = _throttle()
    for _ in range(7):
        throttle.failed("ada", "a")
    throttle.succeeded("ADA", "a")
    assert throttle.seconds_to_wait("ada", "a") == 0
    for _ in range(7):
        throttle.failed("ada", "a")
    clock.now += sign_in_throttle.FORGET_AFTER + 1
    throttle.failed("ada", "a")
    assert throttle.seconds_to_wait("ada", "a") == 0


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(sign_in_throttle, "REMEMBERED", 10)
    throttle, _ = _throttle()
    for number in range(1000):
        throttle.failed(f"user{number}", f"address{number}")
    assert len(throttle._guesses) == 10
