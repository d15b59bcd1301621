"""One process leads, its loop survives every failure and stops at once."""

import threading
import time
from dataclasses import replace

import pytest

from app.background import Background
from app.background.leadership import TERM, lead, resign
from app.background.tasks import TASKS, Task
from app.models import Leader
from tests.databases import BOTH
from tests.support.world import Clock

both = pytest.mark.parametrize("database", BOTH, indirect=True)


@both
def test_one_leads_until_its_term_is_over(core):
    clock = Clock()
    core = replace(core, now=clock)
    assert lead(core, "a")
    assert not lead(core, "b")
    clock.pass_seconds(TERM.total_seconds() - 1)
    assert lead(core, "a")
    clock.pass_seconds(TERM.total_seconds() - 1)
    assert not lead(core, "b")
    clock.pass_seconds(2)
    assert lead(core, "b")
    assert not lead(core, "a")


@both
def test_who_resigns_is_followed_at_once(core):
    clock = Clock()
    core = replace(core, now=clock)
    assert lead(core, "a")
    resign(core, "b")
    assert not lead(core, "b")
    resign(core, "a")
    clock.pass_seconds(0.001)
    assert lead(core, "b")


@both
def test_of_many_at_once_one_leads(app, core):
    leaders = []

    def run(name):
        with app.app_context():
            if lead(core, name):
                leaders.append(name)

    threads = [threading.Thread(target=run, args=(f"p{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    core.session.rollback()
    assert leaders == [core.session.query(Leader).one().holder]


def wait_for(condition):
    until = time.monotonic() + 10
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    assert condition()


def test_a_task_that_fails_stops_neither_the_loop_nor_the_others(app, core, monkeypatch):
    monkeypatch.setattr("app.background.loop.BEAT", 0.02)
    calls = []

    def fail(_core):
        calls.append("fail")
        raise RuntimeError("no")

    background = Background(app, [Task("a", fail, 0), Task("b", lambda core: calls.append("fine"), 0)])
    background.start()
    wait_for(lambda: calls.count("fine") >= 2)
    background.stop()
    assert calls.count("fail") >= 2
    core.session.rollback()
    assert core.session.query(Leader).one().expires_at <= core.now()


@pytest.mark.parametrize("how", ["stop", "bus"])
def test_it_stops_within_a_second_and_leaves_the_rest_undone(app, core, how):
    begun, calls = threading.Event(), []

    def first(_core):
        begun.set()
        time.sleep(0.1)

    background = Background(app, [Task("a", first, 0), Task("b", calls.append, 0)])
    background.start()
    assert begun.wait(10)
    started = time.monotonic()
    if how == "bus":
        core.bus.stop()
    background.stop()
    assert time.monotonic() - started < 1
    assert calls == []


def test_who_does_not_lead_does_nothing(app, core):
    assert lead(core, "another")
    calls = []
    background = Background(app, [Task("a", calls.append, 0)])
    background.start()
    time.sleep(0.3)
    background.stop()
    assert calls == []


def test_every_task_runs_on_an_empty_installation(core):
    for task in TASKS:
        task.run(core)


def test_a_task_apart_holds_up_no_other_and_runs_once_at_a_time(app):
    """What waits for another host is at work once, while the others go on."""
    rounds, release, others = [], threading.Event(), threading.Event()

    def wait(core):
        rounds.append(core)
        release.wait(10)

    def quick(core):
        if rounds:
            others.set()

    background = Background(app, [Task("slow", wait, 0, apart=True), Task("quick", quick, 0)])
    background._leads = True
    background._ask_at = time.monotonic() + 60
    with app.app_context():
        for _ in range(100):
            background._beat()
            if others.is_set():
                break
            time.sleep(0.02)
        background._beat()
    assert (others.is_set(), len(rounds)) == (True, 1)
    release.set()
    background.stop()
    assert not background._apart["slow"].is_alive()
