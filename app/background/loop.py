"""The thread that does the background work while its process leads."""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic

import structlog
from flask import Flask

from app.background.leadership import lead, resign
from app.background.tasks import TASKS, Task
from app.services.core import Core

log = structlog.get_logger(__name__)

#: How often the loop looks whether a task is due.
BEAT = 1.0
#: How often a process asks for the lead, well within a leader's term.
LEAD_EVERY = 10.0
#: A process that stops waits so long for the task at work.
PATIENCE = 5.0


class Background:
    """The background work of one process. `start` after the fork, `stop` before the end."""

    def __init__(self, app: Flask, tasks: Sequence[Task] = TASKS) -> None:
        self._app = app
        self._core: Core = app.extensions["skerry"]
        self._tasks = tasks
        self._due = dict.fromkeys((task.name for task in tasks), 0.0)
        self._holder = f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)
        self._leads, self._ask_at = False, 0.0
        self._apart: dict[str, threading.Thread] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the row at work; another process leads at once."""
        self._stop.set()
        for thread in (self._thread, *self._apart.values()):
            if thread.is_alive():
                thread.join(PATIENCE)

    def _run(self) -> None:
        while not self._done():
            with self._app.app_context():
                self._beat()
            self._stop.wait(BEAT)
        if self._leads:
            with self._app.app_context():
                self._safely("resign", lambda: resign(self._core, self._holder))

    def _done(self) -> bool:
        return self._stop.is_set() or self._core.bus.stopping

    def _beat(self) -> None:
        if monotonic() >= self._ask_at:
            self._ask_at = monotonic() + LEAD_EVERY
            self._leads = bool(self._safely("lead", lambda: lead(self._core, self._holder)))
        for task in self._tasks if self._leads else ():
            if self._done():
                return
            if monotonic() >= self._due[task.name]:
                self._due[task.name] = monotonic() + task.seconds
                self._begin(task)

    def _begin(self, task: Task) -> None:
        """Do the task, or start doing it unless its last round is still at work."""
        if not task.apart:
            self._safely(task.name, partial(task.run, self._core))
        elif task.name not in self._apart or not self._apart[task.name].is_alive():
            self._apart[task.name] = threading.Thread(target=self._do_apart, args=(task,), name=task.name, daemon=True)
            self._apart[task.name].start()

    def _do_apart(self, task: Task) -> None:
        with self._app.app_context():
            self._safely(task.name, partial(task.run, self._core))

    def _safely(self, name: str, work: Callable[[], object]) -> object:
        """What `work` returns; None where it raised, which must not end the loop."""
        try:
            return work()
        except Exception:
            log.exception("background work failed", task=name)
            return None
        finally:
            self._core.session.rollback()
