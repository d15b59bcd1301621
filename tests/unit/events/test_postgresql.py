"""The bus of many processes, here two in one, over a real database."""

import time

import psycopg
import pytest

from app.events.base import Notice, QueuedJob, WaitingRunner
from app.events.postgresql import PostgresBus

pytestmark = pytest.mark.postgresql
RUNNER = WaitingRunner(1, "instance_type", frozenset(), True, False)
JOB = QueuedJob(1, 1, (1,), frozenset(), False)


@pytest.fixture
def url(postgresql_server, postgresql_template):
    with postgresql_server.database(postgresql_template) as name:
        yield postgresql_server.url(name)


@pytest.fixture
def buses(url):
    buses = [PostgresBus(url, 10) for _ in range(2)]
    for bus in buses:
        bus._ensure_threads()
    for bus in buses:
        assert bus.listening.wait(10)
    yield buses
    for bus in buses:
        bus.stop()
    for bus in buses:
        for thread in bus._threads:
            thread.join(5)
            assert not thread.is_alive()


def test_a_waiter_in_another_process_is_rung(buses):
    here, there = buses
    with there.park(RUNNER) as waiter:
        started = time.monotonic()
        here.queue(JOB)
        assert waiter.wait(5)
        assert time.monotonic() - started < 2


def test_a_waiter_in_the_same_process_is_rung_once(buses):
    here, there = buses
    with here.park(RUNNER) as first, here.park(RUNNER) as second, there.subscribe(["end"]) as end:
        here.queue(JOB)
        here.publish(Notice("end"))
        assert end.next(5)
        assert first.wait(0)
        assert not second.wait(0.2)


def test_notices_arrive_everywhere_in_order_and_once(buses):
    here, there = buses
    with here.subscribe(["job:1"]) as near, there.subscribe(["job:1"]) as far:
        for number in range(20):
            here.publish(Notice("job:1", {"n": number}))
        for listener in (near, far):
            assert [listener.next(5).data["n"] for _ in range(20)] == list(range(20))
            assert listener.next(0.1) is None


def test_a_watch_is_known_to_the_others(buses):
    here, there = buses
    with there.subscribe(["trace:1"]):
        until = time.monotonic() + 5
        while not here.watched("trace:1") and time.monotonic() < until:
            time.sleep(0.02)
        assert here.watched("trace:1")
    assert not here.watched("trace:2")


def test_a_job_with_very_many_tags_wakes_everybody(buses):
    here, there = buses
    with there.park(RUNNER) as waiter:
        here.queue(QueuedJob(1, 1, (1,), frozenset(f"tag{number}" * 20 for number in range(100)), False))
        assert waiter.wait(5)


def test_a_lost_connection_is_made_again(buses, url):
    here, there = buses
    there.listening.clear()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'skerry bus' AND datname = current_database()"
        )
    assert there.listening.wait(10)
    with there.subscribe(["job:1"]) as listener:
        until = time.monotonic() + 10
        heard = None
        while heard is None and time.monotonic() < until:
            here.publish(Notice("job:1", {"again": True}))
            heard = listener.next(0.2)
        assert heard is not None


def test_stopping_wakes_all_and_sends_what_is_left(buses):
    here, there = buses
    with here.park(RUNNER) as waiter, there.subscribe(["job:1"]) as listener:
        here.publish(Notice("job:1"))
        here.stop()
        assert waiter.wait(5)
        assert listener.next(5) is not None


def test_an_unknown_announcement_harms_nobody(buses, url):
    here, there = buses
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SELECT pg_notify('skerry_bus', '{\"from\": \"the future\"}')")
    with there.subscribe(["job:1"]) as listener:
        here.publish(Notice("job:1"))
        assert listener.next(5) is not None
