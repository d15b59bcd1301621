"""A runner asks for a job, and waits for one."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from app.events.base import TooManyWaiting, Waiter
from app.services.core import Core
from app.services.runners.claim_job import Claimed, claim_job
from app.services.runners.known_runner import Look, as_waiting, look_up
from app.services.runners.queue_glance import glance
from app.services.runners.runner_contact import Contact

#: A poll is held at most so long, whatever the settings say (design, "Waiting").
LONGEST_WAIT = 50.0
#: Without a ring, a poll glances at the queue so often: a lost notice only delays.
LOOK_EVERY = 2.0


@dataclass(frozen=True, slots=True)
class Polled:
    """The job, or None; and the queue's tick before the last look at it."""

    claimed: Claimed | None
    tick: int


def poll_job(core: Core, known: Look, contact: Contact, gone: Callable[[], bool]) -> Polled:
    """The next job for a manager of the runner that is `known`, as soon as there is one; None after `poll_wait`
    seconds, or when the server stops.

    Holds no connection while it waits. `gone` says whether the caller hung up: then nothing is claimed for it. As many
    polls wait as may: one look, and an answer at once. Raises Conflict (gitlab.md A.3).
    """
    poll = _Poll(core, known.runner.id, contact, gone)
    try:
        with core.bus.park(as_waiting(core, known.runner)) as waiter:
            return poll.wait(waiter, known)
    except TooManyWaiting:
        return poll.look(known)


class _Poll:
    def __init__(self, core: Core, runner_id: int, contact: Contact, gone: Callable[[], bool]) -> None:
        self._core, self._runner_id, self._contact, self._gone = core, runner_id, contact, gone

    def wait(self, waiter: Waiter, known: Look) -> Polled:
        until = monotonic() + min(self._core.config.poll_wait, LONGEST_WAIT)
        polled, rang = self._serve(waiter, known), False
        while polled.claimed is None:
            left = until - monotonic()
            if left <= 0 or self._core.bus.stopping:
                break
            self._core.session.close()
            rang = waiter.wait(min(LOOK_EVERY, left))
            if self._core.bus.stopping or self._gone():
                waiter.pass_on()
                break
            if rang or self._may_have_missed_a_ring(polled):
                polled = self._serve(waiter, self._as_it_is_now(known))
        return polled

    def _as_it_is_now(self, before: Look) -> Look | None:
        """The runner; None where it is gone, or has another token than when it asked: the old one is void at once."""
        now = look_up(self._core, self._runner_id)
        return now if now is not None and now.token_hash == before.token_hash else None

    def _may_have_missed_a_ring(self, polled: Polled) -> bool:
        seen = glance(self._core)
        return seen.tick > polled.tick and self._runner_id in seen.runners

    def look(self, known: Look | None) -> Polled:
        """Look for a job once, for the runner as it is `known`; None: it is none any more."""
        if known is None or self._core.bus.stopping or self._gone():
            return Polled(None, known.tick if known else 0)
        manager_id, features = self._contact.manager_id, self._contact.features
        return Polled(claim_job(self._core, self._runner_id, manager_id, features, known), known.tick)

    def _serve(self, waiter: Waiter, known: Look | None) -> Polled:
        """Look for a job; a ring for one that this poll did not take goes on to another."""
        polled = self.look(known)
        waiter.pass_on(polled.claimed.job_id if polled.claimed else None)
        return polled
