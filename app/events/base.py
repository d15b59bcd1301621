"""What services announce, and what waiting requests wait for.

A notice is a hint: it may be lost or come twice. Whoever waits reads the database again when woken, and every 2 s
without one (design, "Waiting"). Announce after the commit (`models.after_commit`), never before.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """What a waiting runner must know of a job that became pending, to see whether it fits."""

    job_id: int
    project_id: int
    group_ids: tuple[int, ...]
    tags: frozenset[str]
    protected: bool
    instance_runners: bool = True


@dataclass(frozen=True, slots=True)
class WaitingRunner:
    """What a runner that waits may take. The same words as `models.Runner`; `shared_with` are ids of projects."""

    runner_id: int
    runner_type: str
    tags: frozenset[str]
    run_untagged: bool
    protected_only: bool
    project_id: int | None = None
    group_id: int | None = None
    shared_with: frozenset[int] = frozenset()

    def fits(self, job: QueuedJob) -> bool:
        """Whether this runner may take `job` (gitlab.md A.3, "Job selection")."""
        if self.protected_only and not job.protected:
            return False
        if not job.tags <= self.tags or not (job.tags or self.run_untagged):
            return False
        if self.runner_type == "project_type":
            return job.project_id == self.project_id or job.project_id in self.shared_with
        if self.runner_type == "group_type":
            return self.group_id in job.group_ids
        return job.instance_runners


@dataclass(frozen=True, slots=True)
class Notice:
    """Something changed. Topics: `job:ID` (status, reason), `trace:ID` (more bytes), `pipeline:ID`, `project:ID`,
    `runner:ID`.
    """

    topic: str
    data: dict[str, Any] = field(default_factory=dict)


class Waiter(Protocol):
    """One parked request."""

    def wait(self, seconds: float) -> bool:
        """Wait for a ring. True when it rang or the server stops; False when the time is up. Clears the ring."""

    def pass_on(self, taken: int | None = None) -> None:
        """Whoever rang was not served, but for the job `taken`: ring at somebody else who fits, a few times at most."""


class Subscription(Protocol):
    """One listener, such as a page's event stream."""

    def next(self, seconds: float) -> Notice | None:
        """The next notice, or None when `seconds` pass without one. Old notices of a full queue are dropped, never
        the newest.
        """


class Bus(Protocol):
    """The one place where waiting requests and announcements meet."""

    @property
    def stopping(self) -> bool:
        """True once the server stops: whoever waits answers at once."""

    @property
    def waiting(self) -> int:
        """How many requests of this process wait now, polls and listeners."""

    def queue(self, job: QueuedJob) -> None:
        """A job became pending: wake one waiter that fits, not all."""

    def park(self, runner: WaitingRunner) -> AbstractContextManager[Waiter]:
        """Wait as `runner`. Raises TooManyWaiting beyond the cap."""

    def publish(self, notice: Notice) -> None:
        """Tell all who listen to `notice.topic`."""

    def watched(self, topic: str) -> bool:
        """Whether anybody listens to `topic`."""

    def subscribe(self, topics: Sequence[str]) -> AbstractContextManager[Subscription]:
        """Listen. Raises TooManyWaiting beyond the cap (one counter with `park`)."""

    def stop(self) -> None:
        """Wake everyone; the server stops. Safe in a signal handler's thread."""


class TooManyWaiting(Exception):
    """As many requests wait as may (`SKERRY_MAX_WAITING`): answer at once, so that pages and pushes still find a
    thread.
    """
