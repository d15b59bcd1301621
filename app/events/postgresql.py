"""The bus of many server processes: LISTEN and NOTIFY on their database.

What a process announces reaches its own waiters at once, and those of the others through one channel. Each process has
one connection that listens and one that sends; where one breaks it is made again, and everybody wakes, because
something may have been missed.
"""

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

import psycopg
import structlog

from app.events import wire
from app.events.base import Notice, QueuedJob, Subscription, Waiter, WaitingRunner
from app.events.memory import MemoryBus

CHANNEL = "skerry_bus"
#: A process says so often what it watches, and is believed for a bit more than twice as long.
WATCH_EVERY, WATCH_FOR = 20.0, 45.0
_RETRY = 1.0
_BATCH = 100

log = structlog.get_logger(__name__)


class PostgresBus:
    """`Bus` over `database_url`. Opens no connection before it is first used, so that it can be made before a fork."""

    def __init__(self, database_url: str, limit: int) -> None:
        self._conninfo = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._local = MemoryBus(limit)
        self._outbox: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._watched_elsewhere: dict[str, float] = {}
        self._start = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._own_pid = 0
        self.listening = threading.Event()

    @property
    def stopping(self) -> bool:
        return self._local.stopping

    @property
    def waiting(self) -> int:
        return self._local.waiting

    def queue(self, job: QueuedJob) -> None:
        self._local.queue(job)
        self._send(wire.queued(job))

    def publish(self, notice: Notice) -> None:
        self._local.publish(notice)
        self._send(wire.notice(notice))

    @contextmanager
    def park(self, runner: WaitingRunner) -> Iterator[Waiter]:
        self._ensure_threads()
        with self._local.park(runner) as waiter:
            yield waiter

    @contextmanager
    def subscribe(self, topics: Sequence[str]) -> Iterator[Subscription]:
        with self._local.subscribe(topics) as listener:
            for text in wire.watching(list(topics)):
                self._send(text)
            yield listener

    def watched(self, topic: str) -> bool:
        self._ensure_threads()  # what is watched elsewhere is only known to who listens
        return self._local.watched(topic) or self._watched_elsewhere.get(topic, 0.0) > monotonic()

    def stop(self) -> None:
        self._local.stop()
        self._outbox.put(None)

    def _send(self, text: str) -> None:
        if not self.stopping:
            self._ensure_threads()
            self._outbox.put(text)

    def _ensure_threads(self) -> None:
        if self._threads:
            return
        with self._start:
            if not self._threads:
                self._threads = [
                    threading.Thread(target=work, name=f"bus-{work.__name__}", daemon=True)
                    for work in (self._listen_always, self._send_always)
                ]
                for thread in self._threads:
                    thread.start()

    def _listen_always(self) -> None:
        while not self.stopping:
            try:
                self._listen()
            except psycopg.Error as error:
                self.listening.clear()
                log.warning("the bus lost its connection", error=str(error).strip())
                threading.Event().wait(_RETRY)

    def _listen(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True, application_name="skerry bus") as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._local.ring_all()
            self.listening.set()
            say = monotonic() + WATCH_EVERY
            while not self.stopping:
                for notify in connection.notifies(timeout=0.5):
                    if notify.pid != self._own_pid:
                        self._heard(notify.payload)
                    if self.stopping:
                        return
                if monotonic() > say:
                    say = monotonic() + WATCH_EVERY
                    self._say_what_is_watched()

    def _heard(self, text: str) -> None:
        try:
            said = wire.parse(text)
        except ValueError as error:
            log.warning("an announcement was not understood", error=str(error))
            return
        if isinstance(said, QueuedJob):
            self._local.queue(said)
        elif isinstance(said, Notice):
            self._local.publish(said)
        elif said is None:
            self._local.ring_all()
        else:
            until = monotonic() + WATCH_FOR
            self._watched_elsewhere.update(dict.fromkeys(said, until))

    def _say_what_is_watched(self) -> None:
        now = monotonic()
        self._watched_elsewhere = {topic: until for topic, until in self._watched_elsewhere.items() if until > now}
        for text in wire.watching([topic for topic in self._local.topics() if topic.startswith("trace:")]):
            self._send(text)

    def _send_always(self) -> None:
        batch: list[str] = []
        while True:
            try:
                with psycopg.connect(self._conninfo, autocommit=True, application_name="skerry bus") as connection:
                    self._own_pid = connection.info.backend_pid
                    while True:
                        batch = batch or self._next_batch()
                        if not batch:
                            return
                        with connection.cursor() as cursor:
                            cursor.executemany("SELECT pg_notify(%s, %s)", [(CHANNEL, text) for text in batch])
                        batch = []
            except psycopg.Error as error:
                log.warning("the bus cannot send", error=str(error).strip())
                if self.stopping:
                    return
                threading.Event().wait(_RETRY)

    def _next_batch(self) -> list[str]:
        """What is to be sent, at least one; empty when the server stops."""
        batch = [self._outbox.get()]
        while len(batch) < _BATCH and not self._outbox.empty():
            batch.append(self._outbox.get())
        if None in batch:
            self._outbox.put(None)  # for the next look, after what came before it is sent
        return [text for text in batch if text is not None]
