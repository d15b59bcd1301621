"""Pause a runner, let it go on, or remove it."""

from app.events.base import Notice
from app.models import Counter, Runner, after_commit, write
from app.services.core import Core


def pause_runner(core: Core, runner: Runner, paused: bool) -> Runner:
    """A paused runner gets no more jobs; those it has go on."""
    runner_id = runner.id
    with write(core.session):
        fresh = core.session.get_one(Runner, runner_id)
        fresh.paused = paused
        _tick(core)
        after_commit(core.session, lambda: core.bus.publish(Notice(f"runner:{runner_id}")))
    return fresh


def remove_runner(core: Core, runner: Runner) -> None:
    """Its token opens nothing any more. Jobs it has at work are found lost by the reaper."""
    runner_id = runner.id
    with write(core.session):
        fresh = core.session.get(Runner, runner_id)
        if fresh is not None:
            core.session.delete(fresh)
        _tick(core)


def _tick(core: Core) -> None:
    """The queue's tick makes waiting runners look again (gitlab.md A.3)."""
    counter = core.session.get(Counter, "queue")
    if counter is None:
        core.session.add(Counter(name="queue", value=1))
    else:
        counter.value += 1
