"""A waiting runner asks for a job when it is rung, or when a glance at the queue says that there may be one for it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.models import Runner, write
from app.services.core import Core
from app.services.jobs.queue import current_tick, tick
from app.services.runners import poll_job, queue_glance
from app.services.runners.job_offers import fitting_jobs
from app.services.runners.known_runner import Look, look_up
from app.services.runners.poll_job import _Poll
from app.services.runners.register_runner import reset_runner_token
from app.services.runners.runner_contact import Contact
from tests.factories import make_job, make_manager, make_pipeline, make_project, make_runner


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_glance, "GLANCE_EVERY", 0)


class SilentWaiter:
    """Nobody ever rings; what happens meanwhile is the test's. Stops the bus when nothing is left to happen."""

    def __init__(self, core: Core, events: Iterator[None]) -> None:
        self._core, self._events = core, events

    def wait(self, seconds: float) -> bool:
        if next(self._events, True):
            self._core.bus.stop()
        return False

    def pass_on(self, taken: int | None = None) -> None:
        pass


def pending(core: Core, *tags: str) -> None:
    """A job becomes pending, and the ring for it is lost."""
    make_job(core, make_pipeline(core, make_project(core)), tags=tags)
    with write(core.session):
        tick(core)


def known(core: Core, runner: Runner) -> Look:
    found = look_up(core, runner.id)
    assert found
    return found


def poll(core: Core, runner: Runner, events: Iterator[None], monkeypatch: pytest.MonkeyPatch) -> tuple[bool, int]:
    """Whether the runner got a job, and how often it asked the database for one."""
    core = replace(core, config=replace(core.config, poll_wait=30))
    asked, claim = [], poll_job.claim_job

    def counted(*given):
        asked.append(1)
        return claim(*given)

    monkeypatch.setattr(poll_job, "claim_job", counted)
    contact = Contact(make_manager(core, runner).id, frozenset())
    polled = _Poll(core, runner.id, contact, lambda: False).wait(SilentWaiter(core, events), known(core, runner))
    return polled.claimed is not None, len(asked)


def test_jobs_for_others_do_not_make_a_waiting_runner_ask(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    events = (pending(core, "linux") for _ in range(5))
    assert poll(core, make_runner(core, tags=["windows"])[0], events, monkeypatch) == (False, 1)


def test_a_runner_finds_its_job_though_the_ring_was_lost(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    events = (pending(core, *tags) for tags in (["linux"], ["linux"], ["windows"]))
    assert poll(core, make_runner(core, tags=["windows"])[0], events, monkeypatch) == (True, 2)


def test_who_waits_with_a_token_that_was_replaced_gets_no_job(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = make_runner(core)[0]
    runner_id = runner.id

    def replaced() -> Iterator[None]:
        reset_runner_token(core, core.session.get_one(Runner, runner_id))
        yield pending(core)

    assert poll(core, runner, replaced(), monkeypatch) == (False, 1)


def test_a_glance_names_every_runner_that_could_take_something(core: Core) -> None:
    pending(core, "linux")
    wanted = [make_runner(core, tags=["linux"])[0], make_runner(core, tags=["linux", "small"])[0]]
    other = [make_runner(core)[0], make_runner(core, tags=["windows"])[0]]
    seen = queue_glance.glance(core)
    assert seen.tick == current_tick(core)
    assert seen.runners == {runner.id for runner in wanted}
    assert not any(core.session.execute(fitting_jobs(core, known(core, runner))).all() for runner in other)
