"""Event streams (server-sent events): a page hears of what changes, without asking.

One stream is one waiting request. It holds no database session while it waits, ends with the server, says something
every 15 seconds so that proxies keep it open, and asks at least once a minute whether its reader may still read.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from flask import Flask, Response, current_app, request
from flask_login import current_user

from app.dashboard.headers import secure
from app.events.base import Bus, TooManyWaiting
from app.http.edge import core

TICK = 2.0
HEARTBEAT = 15.0
RECHECK = 60.0
#: A browser keeps six connections to a host, so this is many windows; one visitor must not take all waiting places.
STREAMS_OF_ONE_VISITOR = 24
RETRY_AFTER = 5


@dataclass(frozen=True, slots=True)
class Event:
    """One message. `id`: what the browser sends back as Last-Event-ID when it comes again; None leaves it as it was."""

    name: str
    data: str
    id: str | None = None

    def encode(self) -> bytes:
        lines = [f"id: {self.id}"] if self.id is not None else []
        lines += [f"event: {self.name}", *(f"data: {line}" for line in self.data.split("\n"))]
        return ("\n".join(lines) + "\n\n").encode()


END = Event("end", "")
#: Not sent: there is more to read already, so nothing is waited for.
MORE = Event("more", "")


class _Visitors:
    """How many streams each visitor has open in this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: dict[str, int] = {}

    @contextlib.contextmanager
    def place(self, visitor: str) -> Iterator[None]:
        with self._lock:
            count = self._open.get(visitor, 0)
            if count >= STREAMS_OF_ONE_VISITOR:
                raise TooManyWaiting
            self._open[visitor] = count + 1
        try:
            yield
        finally:
            with self._lock:
                self._open[visitor] -= 1
                if not self._open[visitor]:
                    del self._open[visitor]


_visitors = _Visitors()


def stream(topics: Sequence[str], read: Callable[[], Iterable[Event]], allowed: Callable[[], bool]) -> Response:
    """A response that sends what `read` finds, now and whenever one of `topics` is announced, until it yields END.
    What it yields MORE after is followed by the next reading at once.

    `read` and `allowed` run in an application context of their own, with a fresh database session each time.
    Answers 503 when too many wait: the page comes again.
    """
    bus = core().bus
    visitor = current_user.get_id() if current_user.is_authenticated else f"address {request.remote_addr}"
    stack = contextlib.ExitStack()
    try:
        stack.enter_context(_visitors.place(str(visitor)))
        subscription = stack.enter_context(bus.subscribe(topics))
    except TooManyWaiting:
        stack.close()
        return _busy()

    def wait() -> None:
        subscription.next(TICK)
        while subscription.next(0) is not None:
            pass  # whatever else came meanwhile is read in the same go

    app = current_app._get_current_object()  # type: ignore[attr-defined]
    response = Response(_events(app, bus, wait, read, allowed), mimetype="text/event-stream")
    # Not in a `finally` of the generator: one that never started is closed without running any of it.
    response.call_on_close(stack.close)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return secure(response)


def _busy() -> Response:
    response = Response("too many are waiting; try again\n", 503, mimetype="text/plain")
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return secure(response)


def _events(
    app: Flask, bus: Bus, wait: Callable[[], None], read: Callable[[], Iterable[Event]], allowed: Callable[[], bool]
) -> Iterator[bytes]:
    yield b"retry: 2000\n\n"
    spoke = asked = monotonic()
    while not bus.stopping:
        # The context ends before the first byte goes out: a slow reader holds no connection to the database.
        with app.app_context():
            if monotonic() - asked >= RECHECK:
                asked = monotonic()
                if not allowed():
                    return
            events = list(read())
        for event in events:
            if event is not MORE:
                yield event.encode()
            if event is END:
                return
        if events:
            spoke = monotonic()
        elif monotonic() - spoke >= HEARTBEAT:
            spoke = monotonic()
            yield b": still here\n\n"
        if MORE not in events:
            wait()
