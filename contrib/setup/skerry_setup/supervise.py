"""Both programs together: watch them, stop them, know whether they run already."""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from .processes import Process, Service, find_process, write_pid_file
from .settings import Settings
from .ui import SetupError, note, step

# The runner hands its jobs back within its shutdown_timeout (30 seconds by default); the server ends its polls at once.
RUNNER_PATIENCE = 60.0
SERVER_PATIENCE = 30.0


class Interrupted(BaseException):
    """Ctrl-C, SIGTERM, or the terminal went away. Not an Exception: nothing on the way may swallow it."""


class Interrupts:
    """The first signal raises Interrupted in the main thread; later ones only make the stopping hurry."""

    def __init__(self) -> None:
        self.hurry = False
        self._seen = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._arrived)

    def shield(self) -> None:
        """From now on no signal raises: the programs are being stopped."""
        self._seen = True

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        if self._seen:
            self.hurry = True
            return
        self._seen = True
        raise Interrupted


class Supervisor:
    """Starts services and keeps an eye on them, in the order in which they were started."""

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts
        self._running: list[tuple[Service, Process]] = []

    def start(self, service: Service) -> None:
        self._running.append((service, service.start()))

    def adopt(self, service: Service, process: Process) -> None:
        """Watches a service that an earlier run started."""
        self._running.append((service, process))

    def check(self) -> None:
        """Raises SetupError, having shown the end of its log, if a program has died."""
        for service, process in self._running:
            if not process.is_alive():
                for line in service.last_lines():
                    note(f"| {line}")
                raise SetupError(f"{service.name} died; its last words are above, all of them in {service.log}.")

    def watch(self) -> None:
        """Returns never: raises SetupError when a program dies, Interrupted on a signal."""
        while True:
            self.check()
            time.sleep(0.5)

    def stop(self) -> None:
        """Stops all, the latest first; a second signal makes it hurry."""
        self._interrupts.shield()
        for service, process in reversed(self._running):
            patience = RUNNER_PATIENCE if service.pid_file.name.startswith("runner") else SERVER_PATIENCE
            stop_process(service.name, process, patience, self._interrupts)
            service.pid_file.unlink(missing_ok=True)


def stop_process(name: str, process: Process, patience: float, interrupts: Interrupts) -> None:
    """Stops one program and says so."""
    if not process.is_alive():
        return
    step(f"Stopping {name}")
    if not process.stop(patience, lambda: interrupts.hurry):
        note(f"{name} did not stop by itself and was killed.")


@contextlib.contextmanager
def exclusive(settings: Settings) -> Iterator[bool]:
    """Holds the data folder's lock: True if nobody else has it."""
    descriptor = os.open(settings.state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def announced(settings: Settings) -> Iterator[None]:
    """Lets `make down` find us, and a second `make up` the address."""
    path = settings.state_dir / "up.pid"
    (settings.state_dir / "address").write_text(settings.bind, encoding="ascii")
    write_pid_file(path, os.getpid())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def find_service(settings: Settings, name: str, owners: set[int]) -> Process | None:
    """The running process of "server", "runner" or "up", started by this or an earlier run."""
    return find_process(Path(settings.state_dir, f"{name}.pid"), owners)


def running_settings(settings: Settings) -> Settings:
    """`settings` with the address that the running server was given, whatever this call's environment says."""
    try:
        return settings.listening_on((settings.state_dir / "address").read_text(encoding="ascii"))
    except OSError:
        return settings
