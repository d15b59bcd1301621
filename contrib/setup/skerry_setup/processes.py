"""Start a program, know it again in another run of the set-up, stop it.

A process is known by its number, the time it started and the boot: a number alone may be somebody else's by now.
Signals go through a file descriptor of the process, so that nothing can change between the check and the signal.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from .accounts import Account
from .ui import SetupError

LOG_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True)
class Service:
    """A program that is to keep running. `pid_file` lies in a folder that only the one who starts it may write."""

    name: str
    account: Account
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    pid_file: Path

    def start(self) -> "Process":
        """Starts it in a session of its own, its output appended to the log."""
        with self.account.acting():
            log = _open_log(self.log)
        try:
            child = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self.account.popen_options(),
            )
        except OSError as error:
            raise SetupError(f"{self.name} cannot be started: {self.command[0]}: {error.strerror}") from error
        finally:
            os.close(log)
        write_pid_file(self.pid_file, child.pid)
        return Process(child.pid, child)

    def last_lines(self, count: int = 15) -> list[str]:
        """The end of its log, for people."""
        try:
            with self.account.acting(), self.log.open(encoding="utf-8", errors="replace") as file:
                return [line.rstrip("\n") for line in deque(file, maxlen=count)]
        except OSError:
            return []


class Process:
    """A running program: a child, or one found again by its pid file."""

    def __init__(self, pid: int, child: "subprocess.Popen[bytes] | None" = None) -> None:
        self.pid = pid
        self._child = child
        self._descriptor = os.pidfd_open(pid)

    def is_alive(self) -> bool:
        return not self.wait(0)

    def wait(self, seconds: float) -> bool:
        """True as soon as it has ended; False if it has not within `seconds`."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        ended = bool(poll.poll(seconds * 1000))
        if ended and self._child is not None:
            self._child.wait()
        return ended

    def stop(self, patience: float, hurry: Callable[[], bool] = lambda: False) -> bool:
        """SIGTERM; after `patience` seconds or when `hurry` says so SIGKILL. True if it ended by itself."""
        self.signal(signal.SIGTERM)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and not hurry():
            if self.wait(0.2):
                return True
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self.signal(signal.SIGKILL)
            self.wait(10)
        return False

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)


def find_process(pid_file: Path, owners: Collection[int]) -> Process | None:
    """The process that a pid file names, if it is still that one, alive, and runs as one of the uids `owners`."""
    try:
        known = json.loads(pid_file.read_text(encoding="ascii"))
        process = Process(known["pid"])
        if (
            _identity(known["pid"]) == known
            and Path("/proc", str(known["pid"])).stat().st_uid in owners
            and process.is_alive()
        ):
            return process
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None


def write_pid_file(path: Path, pid: int) -> None:
    """Writes down which process this is; the file appears whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(_identity(pid)), encoding="ascii")
    fresh.rename(path)


def _identity(pid: int) -> dict[str, int | str]:
    """Number, start in clock ticks since the boot (the 22nd field of /proc/PID/stat), and the boot's own name."""
    stat = Path("/proc", str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    started = int(stat.rpartition(")")[2].split()[19])
    return {
        "pid": pid,
        "started": started,
        "boot": Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip(),
    }


def _open_log(path: Path) -> int:
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.rename(path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
