"""`skerry WORDS` as a process of its own, which in tests starts in a moment.

Python takes a second and more to load the server. A process that has loaded it once (the fork server of
`multiprocessing`) forks for each command; what tests need of a process, its own memory, signals and end, is the same.
Benchmarks measure programs that load everything themselves.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["app.cli", "app.serve", "app.wiring", "app.background", "gunicorn.workers.gthread", __name__]
)
#: Whether programs are forked. tests/conftest.py says so.
FORKED = False


def start_program(*words: str, environment: dict[str, str], log: Path, folder: Path) -> "Program":
    """Start `skerry WORDS` in `folder`, at the head of a group of processes.

    Its environment is `environment` and nothing else; what it prints is added to `log`.
    """
    if FORKED:
        return _Forked(words, environment, os.fspath(log), os.fspath(folder))
    command = [sys.executable, "-m", "app", *words]
    with log.open("ab") as file:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=file, start_new_session=True)


class _Forked:
    """A process of the fork server, with the methods of `subprocess.Popen`."""

    def __init__(self, *given: Any) -> None:
        self._process = _FORKS.Process(target=_run, args=given, daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("skerry", timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def _run(words: tuple[str, ...], environment: dict[str, str], log: str, folder: str) -> None:
    """In the new process."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    sys.argv = ["skerry", *words]
    from app.cli import main

    main()


Program = _Forked | subprocess.Popen[bytes]
