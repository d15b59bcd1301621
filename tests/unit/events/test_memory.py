"""The bus of one process: rings one fitting waiter, loses no ring, never waits longer than it must."""

import threading
import time

import pytest

from app.events.base import Notice, QueuedJob, TooManyWaiting, WaitingRunner
from app.events.memory import BACKLOG, TRIES, MemoryBus


def job(number=1, tags=(), **more):
    return QueuedJob(number, 1, (1, 2), frozenset(tags), more.pop("protected", False), **more)


def runner(number=1, tags=(), runner_type="instance_type", **more):
    values = {"run_untagged": True, "protected_only": False} | more
    return WaitingRunner(number, runner_type, frozenset(tags), **values)


@pytest.fixture
def bus():
    return MemoryBus(limit=10)


def test_one_waiter_is_rung_the_one_who_waits_longest(bus):
    with bus.park(runner(1)) as first, bus.park(runner(2)) as second:
        bus.queue(job())
        assert first.wait(0)
        assert not second.wait(0)


def test_two_jobs_ring_two_waiters(bus):
    with bus.park(runner(1)) as first, bus.park(runner(2)) as second:
        bus.queue(job(1))
        bus.queue(job(2))
        assert first.wait(0)
        assert second.wait(0)


@pytest.mark.parametrize(
    ("waiting", "queued", "fits"),
    [
        (runner(tags=["a"]), job(tags=["a"]), True),
        (runner(tags=["a"]), job(tags=["a", "b"]), False),
        (runner(tags=["a"], run_untagged=False), job(), False),
        (runner(protected_only=True), job(), False),
        (runner(protected_only=True), job(protected=True), True),
        (runner(), job(instance_runners=False), False),
        (runner(runner_type="project_type", project_id=1), job(instance_runners=False), True),
        (runner(runner_type="project_type", project_id=2), job(), False),
        (runner(runner_type="group_type", group_id=2), job(), True),
        (runner(runner_type="group_type", group_id=3), job(), False),
    ],
)
def test_only_who_fits_is_rung(bus, waiting, queued, fits):
    with bus.park(waiting) as waiter:
        bus.queue(queued)
        assert waiter.wait(0) is fits


def test_a_ring_that_was_not_heard_goes_to_another(bus):
    with bus.park(runner(2)) as second:
        with bus.park(runner(1)):
            pass
        with bus.park(runner(1)) as third:
            bus.queue(job())
            assert second.wait(0)
            second.pass_on()
            assert third.wait(0)


def test_leaving_while_rung_passes_the_ring_on(bus):
    with bus.park(runner(1)) as first:
        left = bus.park(runner(2))
        left.__enter__()
        bus.queue(job(1))
        bus.queue(job(2))
        assert first.wait(0)
        left.__exit__(None, None, None)
        assert first.wait(0)


def test_a_ring_for_the_job_that_was_taken_is_not_passed_on(bus):
    with bus.park(runner(1)) as first, bus.park(runner(2)) as second:
        bus.queue(job(7))
        assert first.wait(0)
        first.pass_on(taken=7)
        assert not second.wait(0)


def test_a_ring_wanders_only_so_far(bus):
    waiters = [bus.park(runner(number)) for number in range(TRIES + 3)]
    parked = [waiter.__enter__() for waiter in waiters]
    bus.queue(job())
    rung = 0
    for _ in range(20):
        for one in parked:
            if one.wait(0):
                rung += 1
                one.pass_on()
    assert rung == TRIES
    for waiter in waiters:
        waiter.__exit__(None, None, None)


def test_waiting_wakes_from_another_thread(bus):
    with bus.park(runner()) as waiter:
        threading.Timer(0.05, bus.queue, [job()]).start()
        started = time.monotonic()
        assert waiter.wait(10)
        assert time.monotonic() - started < 5


def test_beyond_the_limit_nobody_waits(bus):
    parks = [bus.park(runner(number)) for number in range(9)]
    for park in parks:
        park.__enter__()
    with bus.subscribe(["job:1"]):
        with pytest.raises(TooManyWaiting), bus.park(runner()):
            pass
        with pytest.raises(TooManyWaiting), bus.subscribe(["job:2"]):
            pass
    with bus.park(runner()):
        pass
    for park in parks:
        park.__exit__(None, None, None)


def test_stopping_wakes_all_now_and_later(bus):
    with bus.park(runner()) as waiter, bus.subscribe(["a"]) as listener:
        bus.stop()
        assert bus.stopping
        assert waiter.wait(10)
        assert waiter.wait(10)
        assert listener.next(10) is None
    with bus.park(runner()) as late, bus.subscribe(["a"]) as listener:
        assert late.wait(10)
        assert listener.next(10) is None


def test_listeners_hear_their_topics_in_order(bus):
    with bus.subscribe(["job:1", "trace:1"]) as listener:
        for number in range(3):
            bus.publish(Notice("trace:1", {"size": number}))
        bus.publish(Notice("job:2"))
        bus.publish(Notice("job:1", {"status": "failed"}))
        heard = [listener.next(0) for _ in range(5)]
    assert [notice and notice.topic for notice in heard] == ["trace:1"] * 3 + ["job:1", None]


def test_a_slow_listener_loses_the_oldest(bus):
    with bus.subscribe(["a"]) as listener:
        for number in range(BACKLOG + 10):
            bus.publish(Notice("a", {"n": number}))
        assert listener.next(0).data == {"n": 10}


def test_who_is_watched(bus):
    assert not bus.watched("trace:1")
    with bus.subscribe(["trace:1"]):
        assert bus.watched("trace:1")
        assert bus.topics() == ["trace:1"]
    assert not bus.watched("trace:1")


def test_nothing_is_left_behind(bus):
    with bus.subscribe(["a", "b"]), bus.park(runner()):
        pass
    assert (bus._parked, bus._listeners, bus._waiting) == ({}, {}, 0)
