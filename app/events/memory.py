"""The bus of a single server process."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Condition, Event, Lock

from app.events.base import Notice, QueuedJob, TooManyWaiting, WaitingRunner

BACKLOG = 256


class _Parked:
    def __init__(self, runner: WaitingRunner) -> None:
        self.runner = runner
        self.bell = Event()

    def wait(self, seconds: float) -> bool:
        rang = self.bell.wait(seconds)
        self.bell.clear()
        return rang


class _Listener:
    def __init__(self) -> None:
        self._notices: deque[Notice] = deque(maxlen=BACKLOG)
        self._changed = Condition()

    def put(self, notice: Notice | None) -> None:
        with self._changed:
            if notice:
                self._notices.append(notice)
            self._changed.notify()

    def next(self, seconds: float) -> Notice | None:
        with self._changed:
            if not self._notices:
                self._changed.wait(seconds)
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

    def queue(self, job: QueuedJob) -> None:
        with self._lock:
            for parked in self._parked.values():
                if not parked.bell.is_set() and parked.runner.fits(job):
                    parked.bell.set()
                    return

    @contextmanager
    def park(self, runner: WaitingRunner) -> Iterator[_Parked]:
        parked = _Parked(runner)
        with self._lock:
            self._count()
            self._parked[id(parked)] = parked
        try:
            yield parked
        finally:
            with self._lock:
                del self._parked[id(parked)]
                self._waiting -= 1

    def publish(self, notice: Notice) -> None:
        with self._lock:
            listeners = list(self._listeners.get(notice.topic, ()))
        for listener in listeners:
            listener.put(notice)

    @contextmanager
    def subscribe(self, topics: Sequence[str]) -> Iterator[_Listener]:
        listener = _Listener()
        with self._lock:
            self._count()
            for topic in topics:
                self._listeners.setdefault(topic, []).append(listener)
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
            parked = list(self._parked.values())
            listeners = [listener for group in self._listeners.values() for listener in group]
        for waiter in parked:
            waiter.bell.set()
        for listener in listeners:
            listener.put(None)

    def _count(self) -> None:
        if self._waiting >= self._limit:
            raise TooManyWaiting
        self._waiting += 1
