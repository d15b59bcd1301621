"""An executor without containers: a stage is a process group on this host, in the job's tree.

It is the port's second implementation, for tests of whatever stands on it, and for trying a set-up out. It isolates
nothing: a job can do all that the runner's user can. `runner run` says so when a configuration names it.
"""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterable

from runner.executor.base import (
    Build,
    Cancelled,
    ConfigurationError,
    Output,
    RuntimeUnavailableError,
    Stage,
    StageResult,
)

GRACE = 5.0  # from SIGTERM to SIGKILL
_TICK = 0.05  # how late a cancel or a timeout is noticed
_READ = 256 * 1024


class FakeExecutor:
    """Implements `executor.base.Executor`. `grace` is the time that a stage gets between SIGTERM and SIGKILL."""

    name = "fake"

    def __init__(self, grace: float = GRACE) -> None:
        self._grace = grace

    def features(self) -> dict[str, bool]:
        return {"shared": True, "image": True}

    def prepare(self, build: Build, output: Output, cancelled: Cancelled) -> "FakeEnvironment":
        if build.services:
            raise ConfigurationError("the fake executor has no service containers")
        output(b"Using this host, without any isolation\n")
        return FakeEnvironment(build, self._grace)

    def remove_orphans(self, runner: str, boot: str) -> list[int]:
        return []

    def close(self) -> None:
        """There is nothing to give back."""


class FakeEnvironment:
    """Implements `executor.base.Environment`."""

    def __init__(self, build: Build, grace: float) -> None:
        self._build = build
        self._grace = grace
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, stage: Stage, output: Output, cancelled: Cancelled) -> StageResult:
        if stage.runtime:
            raise RuntimeUnavailableError(f"this host has no container runtime {stage.runtime!r}")
        with self._lock:
            if self._stopped:
                return StageResult("killed", detail="the environment is stopped")
            process = self._start(stage)
            self._running.add(process)
        try:
            return self._attend(process, stage.timeout, output, cancelled)
        finally:
            _signal([process], signal.SIGKILL)
            process.wait()
            with self._lock:
                self._running.discard(process)
            if process.stdout:
                process.stdout.close()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            _signal(self._running, signal.SIGKILL)

    def close(self) -> None:
        self.stop()

    def _start(self, stage: Stage) -> subprocess.Popen[bytes]:
        base = {key: os.environ[key] for key in ("PATH", "LANG", "TMPDIR") if key in os.environ}
        return subprocess.Popen(
            ["/bin/sh", "-c", stage.script],
            env={**base, "HOME": str(self._build.workspace), **self._build.environment, **stage.environment},
            cwd=self._build.workspace,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _attend(
        self, process: subprocess.Popen[bytes], timeout: float, output: Output, cancelled: Cancelled
    ) -> StageResult:
        """Pass the output on until the script's shell is gone, and end it where somebody wants that."""
        assert process.stdout is not None  # noqa: S101 - for the type checker: the pipe was asked for
        pipe, deadline = process.stdout.fileno(), time.monotonic() + timeout
        ended_by, kill_at = "", 0.0
        open_pipe = True
        while process.poll() is None:
            open_pipe = _pass_on(pipe, output, _TICK) if open_pipe else not _wait(process, _TICK)
            now = time.monotonic()
            if not ended_by and (cancelled.is_set() or now >= deadline):
                ended_by = "cancelled" if cancelled.is_set() else "timed_out"
                _signal([process], signal.SIGTERM)
                kill_at = now + self._grace
            elif ended_by and now >= kill_at:
                _signal([process], signal.SIGKILL)
        _signal([process], signal.SIGKILL)  # what the script left behind would hold the pipe open
        while open_pipe and _pass_on(pipe, output, 0.5, last=True):
            pass
        return self._result(process.returncode, ended_by)

    def _result(self, code: int, ended_by: str) -> StageResult:
        if ended_by:
            return StageResult(ended_by)
        if self._stopped and code < 0:
            return StageResult("killed", detail="stopped from outside")
        return StageResult("exited", code if code >= 0 else 128 - code)


def _wait(process: subprocess.Popen[bytes], timeout: float) -> bool:
    """Wait a moment for the end of a process that closed its output. True when it has ended."""
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        return False
    return True


def _pass_on(pipe: int, output: Output, timeout: float, last: bool = False) -> bool:
    """Read once, waiting at most `timeout`. False at the end of the stream, and with `last` also when nothing came."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    if not poll.poll(timeout * 1000):
        return not last
    data = os.read(pipe, _READ)
    if data:
        output(data)
    return bool(data)


def _signal(processes: Iterable[subprocess.Popen[bytes]], number: signal.Signals) -> None:
    for process in processes:
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            continue
