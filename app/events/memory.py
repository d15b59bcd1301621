"""The bus of a single server process."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition, Event, Lock
from time import monotonic

from app.events.base import Notice, QueuedJob, TooManyWaiting, WaitingRunner

#: Notices that a slow listener may be behind.
BACKLOG = 256
#: How many waiters in turn are woken for one job that those before did not take.
TRIES = 4


@dataclass(frozen=True, slots=True)
class _Ring:
    job: QueuedJob
    tries: int = 1


class _Parked:
    def __init__(self, bus: "MemoryBus", runner: WaitingRunner) -> None:
        self.runner = runner
        self.bell = Event()
        self.rings: list[_Ring] = []
        self._answering: list[_Ring] = []
        self._bus = bus

    def wait(self, seconds: float) -> bool:
        rang = self.bell.wait(seconds)
        self._answering = self._bus.take_rings(self)
        return rang

    def pass_on(self, taken: int | None = None) -> None:
        rings, self._answering = self._answering, []
        self._bus.ring_others(self, [ring for ring in rings if ring.job.job_id != taken])


class _Listener:
    def __init__(self) -> None:
        self._notices: deque[Notice] = deque(maxlen=BACKLOG)
        self._changed = Condition()
        self._stopped = False

    def put(self, notice: Notice) -> None:
        with self._changed:
            self._notices.append(notice)
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def next(self, seconds: float) -> Notice | None:
        until = monotonic() + seconds
        with self._changed:
            while not self._notices and not self._stopped and (left := until - monotonic()) > 0:
                self._changed.wait(left)
            return self._notices.popleft() if self._notices else None


class MemoryBus:
    """`Bus` for one process. `limit` is how many requests may wait at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        self._parked: dict[int, _Parked] = {}
        self._listeners: dict[str, list[_Listener]] = {}
        self._waiting = 0
        self._stopping = False

    @property
    def stopping(self) -> bool:
        return self._stopping

    @property
    def waiting(self) -> int:
        return self._waiting

    def queue(self, job: QueuedJob) -> None:
        self.ring_others(None, [_Ring(job)])

    def ring_others(self, caller: _Parked | None, rings: Sequence[_Ring]) -> None:
        """Wake for each ring the one who waits longest of those that fit, sleep, and are not `caller`."""
        with self._lock:
            for ring in rings:
                if ring.tries > TRIES:
                    continue
                for parked in self._parked.values():
                    if parked is not caller and not parked.bell.is_set() and parked.runner.fits(ring.job):
                        parked.rings.append(_Ring(ring.job, ring.tries + 1))
                        parked.bell.set()
                        break

    def take_rings(self, parked: _Parked) -> list[_Ring]:
        """What `parked` was woken for; it sleeps again, unless the server stops."""
        with self._lock:
            rings, parked.rings = parked.rings, []
            if not self._stopping:
                parked.bell.clear()
        return rings

    def ring_all(self) -> None:
        """Wake everybody who is parked: what they wait for may have been missed."""
        with self._lock:
            for parked in self._parked.values():
                parked.bell.set()

    @contextmanager
    def park(self, runner: WaitingRunner) -> Iterator[_Parked]:
        parked = _Parked(self, runner)
        with self._lock:
            self._count()
            self._parked[id(parked)] = parked
            if self._stopping:
                parked.bell.set()
        try:
            yield parked
        finally:
            with self._lock:
                del self._parked[id(parked)]
                self._waiting -= 1
            self.ring_others(parked, parked.rings)

    def publish(self, notice: Notice) -> None:
        with self._lock:
            listeners = list(self._listeners.get(notice.topic, ()))
        for listener in listeners:
            listener.put(notice)

    def watched(self, topic: str) -> bool:
        return topic in self._listeners

    def topics(self) -> list[str]:
        """All topics that somebody listens to."""
        with self._lock:
            return list(self._listeners)

    @contextmanager
    def subscribe(self, topics: Sequence[str]) -> Iterator[_Listener]:
        listener = _Listener()
        with self._lock:
            self._count()
            for topic in topics:
                self._listeners.setdefault(topic, []).append(listener)
            if self._stopping:
                listener.stop()
        try:
            yield listener
        finally:
            with self._lock:
                self._waiting -= 1
                for topic in topics:
                    self._listeners[topic].remove(listener)
                    if not self._listeners[topic]:
                        del self._listeners[topic]

    def stop(self) -> None:
        self._stopping = True
        with self._lock:
            for parked in self._parked.values():
                parked.bell.set()
            for listeners in self._listeners.values():
                for listener in listeners:
                    listener.stop()

    def _count(self) -> None:
        if self._waiting >= self._limit:
            raise TooManyWaiting
        self._waiting += 1
