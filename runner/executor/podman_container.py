"""One container of a job: created, attached, started, and then given one script after another.

PID 1 is an init (it buries orphans), its child a small POSIX shell program, the wrapper. The wrapper reads orders from
the container's standard input, which is the attach connection: `run TOKEN FILE` runs a script in a fresh shell in the
foreground and answers with an end mark (`podman_output.EndMark`) in the same pipe as the script's output. So nobody
asks Podman for anything between two stages, and a stage costs two milliseconds.

When the runner dies, however hard, its helper in the user namespace kills the container (`UserNamespace.guard`); and
where even the helper is gone, the wrapper reads the end of its connection after the script and leaves.
"""

import logging
import os
import secrets
import select
import signal
import time
from typing import Any

from runner.executor.base import Build, Cancelled, ExecutorError, Output, Stage, StageResult
from runner.executor.podman_api import AttachedStream, PodmanClient, PodmanError
from runner.executor.podman_output import EndMark
from runner.executor.podman_script import write_script
from runner.workspace.namespaces import offspring
from runner.workspace.userns import Helper, HelperError

TICK = 0.1
HELLO_SECONDS = 60.0
AFTER_KILL_SECONDS = 5.0
DEATH_SECONDS = 10.0

logger = logging.getLogger(__name__)


class Container:
    """A started container that waits for orders. `run` is for one thread at a time; `kill` and `detach` are for any."""

    def __init__(self, client: PodmanClient, helper: Helper, container_id: str, grace: float) -> None:
        self.id = container_id
        self.pid = 0
        self.network_namespace = ""
        self._client = client
        self._helper = helper
        self._grace = grace
        self._stream: AttachedStream | None = None
        self._late = b""
        self._wrapper: list[int] = []
        self._init = -1

    def start(self) -> None:
        """Attach, then start: this order loses no output. Raises ExecutorError with the runtime's words."""
        self._stream = self._client.attach(self.id)
        state = self._client.request("GET", f"/containers/{self.id}/json")
        self.pid = int(state["State"]["Pid"])
        self.network_namespace = str((state.get("NetworkSettings") or {}).get("SandboxKey") or "")
        self._init = os.pidfd_open(self.pid)
        try:
            self._helper.guard(self._init)
        except HelperError as error:
            raise ExecutorError(str(error)) from error
        self._client.request("POST", f"/containers/{self.id}/start")

    def greet(self, output: Output) -> None:
        """Wait until the wrapper listens; what the image's entrypoint prints before goes to `output`."""
        result = self._order("greet", "-", output, _Never(), HELLO_SECONDS)
        if result.outcome != "exited":
            reason = result.detail or result.outcome
            raise ExecutorError(f"The container did not start a shell; the image needs `sh` ({reason})")
        self._wrapper = offspring(self.pid)

    def run(self, build: Build, stage: Stage, output: Output, cancelled: Cancelled) -> StageResult:
        """Run `stage`'s script; see `executor.base.Environment.run`."""
        name = write_script(build.control, build.project_dir, stage)
        return self._order("run", name, output, cancelled, stage.timeout)

    def kill(self) -> None:
        """Kill everything in the container and wait until it is dead. Never raises."""
        if self._init < 0 or self._is_dead(0):
            return
        try:
            signal.pidfd_send_signal(self._init, signal.SIGKILL)
        except PermissionError:  # its user is not root, hence not ours
            try:
                self._client.request("POST", f"/containers/{self.id}/kill", query={"signal": "KILL"})
            except PodmanError as error:
                logger.warning("container %s cannot be killed: %s", self.id, error)
        except ProcessLookupError:
            return
        if not self._is_dead(DEATH_SECONDS):
            logger.warning("container %s is still there %.0f s after SIGKILL", self.id, DEATH_SECONDS)

    def detach(self) -> None:
        """Close the connection and the process descriptor. The container, if it still runs, ends."""
        if self._stream is not None:
            self._stream.close()
        if self._init >= 0:
            descriptor, self._init = self._init, -1
            os.close(descriptor)

    def _is_dead(self, timeout: float) -> bool:
        """Whether init has ended; the kernel lets it end only after every process of its namespace."""
        poll = select.poll()
        poll.register(self._init, select.POLLIN)
        return bool(poll.poll(timeout * 1000))

    def _order(self, order: str, name: str, output: Output, cancelled: Cancelled, timeout: float) -> StageResult:
        if self._stream is None:
            raise ExecutorError("the container was never started")
        token = secrets.token_hex(16)
        mark = EndMark(token)
        try:
            self._stream.send(f"{order} {token} {name}\n".encode())
        except PodmanError:
            return StageResult("killed", detail=self._last_words())
        late, self._late = self._late, b""
        if late:
            output(mark.feed(late))
        return self._follow(self._stream, mark, output, cancelled, time.monotonic() + timeout)

    def _follow(
        self, stream: AttachedStream, mark: EndMark, output: Output, cancelled: Cancelled, deadline: float
    ) -> StageResult:
        """Pass the output on until the end mark, the container's end, a cancel or the deadline."""
        while mark.status is None:
            if cancelled.is_set():
                return self._interrupt(stream, mark, output, "cancelled")
            if time.monotonic() >= deadline:
                return self._interrupt(stream, mark, output, "timed_out")
            data = stream.read(TICK)
            if data is None:
                output(mark.flush())
                return StageResult("killed", detail=self._last_words())
            if data and (text := mark.feed(data)):
                output(text)
        self._late = mark.rest
        return StageResult("exited", mark.status)

    def _interrupt(self, stream: AttachedStream, mark: EndMark, output: Output, outcome: str) -> StageResult:
        """SIGTERM to all but the wrapper, SIGKILL after the grace, and the whole container if even that is of no
        use.
        """
        for number, patience in ((signal.SIGTERM, self._grace), (signal.SIGKILL, AFTER_KILL_SECONDS)):
            self._signal(number)
            if self._drain(stream, mark, output, time.monotonic() + patience):
                break
        else:
            self.kill()
            return StageResult(outcome, detail="the container had to be killed")
        self._signal(signal.SIGKILL)  # what the script left in the background
        self._late = mark.rest
        return StageResult(outcome)

    def _drain(self, stream: AttachedStream, mark: EndMark, output: Output, deadline: float) -> bool:
        """Pass the output on until the end mark; False when `deadline` comes first or the container is gone."""
        while mark.status is None and time.monotonic() < deadline:
            data = stream.read(TICK)
            if data is None:
                return False
            if data and (text := mark.feed(data)):
                output(text)
        return mark.status is not None

    def _signal(self, number: int) -> None:
        try:
            self._helper.call(
                "signal", {"init": self.pid, "spare": self._wrapper, "signal": int(number)}, timeout=DEATH_SECONDS
            )
        except HelperError as error:
            logger.warning("container %s cannot be signalled: %s", self.id, error)

    def _last_words(self) -> str:
        """Why the container ended by itself, from Podman's record of it."""
        deadline = time.monotonic() + DEATH_SECONDS
        try:
            state = self._state()
            # The connection ends a moment before the exit code is written down. Podman's own `wait` is of no use: it
            # waits for a clean-up command to tell it the code.
            while state.get("Running") and time.monotonic() < deadline:
                time.sleep(0.02)
                state = self._state()
        except PodmanError as error:
            return f"the container is gone: {error}"
        if state.get("OOMKilled"):
            return "out of memory: the kernel killed the container"
        return f"the container ended with exit code {state.get('ExitCode')}"

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._client.request("GET", f"/containers/{self.id}/json")["State"]
        return state


class _Never:
    """A `Cancelled` that is never set."""

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:
        time.sleep(timeout or 0)
        return False
