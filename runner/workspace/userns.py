"""Work inside the user namespace: what the runner's own user may not do, done by a helper that is root there.

Files that a job made belong to sub-uids; its network namespace belongs to Podman's user namespace. One helper process
(`podman unshare python …/agent.py`) is started once and serves every request in a fork of its own, so that a request
costs few milliseconds and many run side by side; those that take no time are done without. It ends when this process
does.

The wire: the helper's standard input is a socket over which each request sends one end of a connection of its own. On
that connection: a JSON line (with any descriptors attached) to the helper, JSON lines back (`output`, then `result` or
`error`).
"""

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from runner.executor.base import Output
from runner.workspace import agent

CODE_ROOT = Path(__file__).resolve().parents[2]
BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from runner.workspace.agent import serve; serve()"
START_SECONDS = 30.0
STOP_SECONDS = 5.0

logger = logging.getLogger(__name__)


class HelperError(Exception):
    """The helper could not do it, or is gone."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request gave: any JSON value, and descriptors that now belong to the caller."""

    result: Any
    descriptors: Sequence[int] = ()


class Helper(Protocol):
    """Does the operations of `runner.workspace.agent`, inside the user namespace or right here."""

    def call(
        self, operation: str, arguments: Mapping[str, Any], output: Output | None = None, timeout: float | None = None
    ) -> Reply: ...

    def guard(self, process: int) -> None: ...

    def close(self) -> None: ...


class InProcess:
    """The operations in this very process: for trees whose files all belong to the runner's own user."""

    def call(
        self, operation: str, arguments: Mapping[str, Any], output: Output | None = None, timeout: float | None = None
    ) -> Reply:
        """Run `operation`. Raises HelperError with its message."""
        try:
            result, descriptors = agent.perform(operation, dict(arguments), output if output is not None else _discard)
        except (OSError, ValueError) as error:
            raise HelperError(str(error)) from error
        return Reply(result, descriptors)

    def guard(self, process: int) -> None:
        """There is nobody who would outlive this process and could end `process`."""

    def close(self) -> None:
        """Nothing to give back."""


def _discard(_data: bytes) -> None:
    """Nobody wants the output."""


class UserNamespace:
    """The helper process in Podman's user namespace. Thread-safe. Started at the first call, or by `start`."""

    def __init__(self, podman: str = "podman") -> None:
        self._podman = podman
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start the helper unless it runs. Raises HelperError."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            self._end()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            command = [self._podman, "unshare", sys.executable, "-I", "-c", BOOT, str(CODE_ROOT)]
            try:
                # In a session of its own, a Ctrl-C for the runner does not end it. The working directory must be one
                # that every user may read.
                self._process = subprocess.Popen(
                    command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, cwd="/", start_new_session=True
                )
            except OSError as error:
                ours.close()
                raise HelperError(f"the user namespace cannot be entered: {error}") from error
            finally:
                theirs.close()
            self._control = ours

    def restart(self) -> None:
        """Start a new helper in the user namespace of now: after `podman system migrate` the old one is stale."""
        with self._lock:
            self._end()
        self.start()

    def call(
        self, operation: str, arguments: Mapping[str, Any], output: Output | None = None, timeout: float | None = None
    ) -> Reply:
        """Have `operation` done; its output goes to `output` as it comes. Raises HelperError with the helper's message.

        `timeout` is in seconds without any sign of life; when it passes, the request's process is left to end by
        itself.
        """
        self.start()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours:
            ours.settimeout(timeout)
            try:
                with theirs:
                    self._send(agent.QUICK if operation in agent.QUICK_OPERATIONS else agent.REQUEST, theirs.fileno())
                ours.sendall(json.dumps({"operation": operation, "arguments": dict(arguments)}).encode() + b"\n")
                return receive(ours, output)
            except OSError as error:
                raise HelperError(f"the helper in the user namespace failed at {operation!r}: {error}") from error

    def guard(self, process: int) -> None:
        """Have the process behind the descriptor `process` killed when this process ends or closes the helper, however
        it ends: a container whose runner is gone has nobody to report to. Raises HelperError.
        """
        self.start()
        self._send(agent.GUARD, process)

    def close(self) -> None:
        """End the helper; requests that run go on to their end (a removal, for instance)."""
        with self._lock:
            self._end()

    def _send(self, message: bytes, descriptor: int) -> None:
        with self._lock:
            if self._control is None:
                raise HelperError("the helper in the user namespace is closed")
            try:
                socket.send_fds(self._control, [message], [descriptor])
            except OSError as error:
                raise HelperError(f"the helper in the user namespace is gone: {error}") from error

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def receive(connection: socket.socket, output: Output | None) -> Reply:
    """Read the helper's lines to the end of one request."""
    buffer = b""
    descriptors: list[int] = []
    while True:
        data, fresh, _, _ = socket.recv_fds(connection, 1 << 16, 16)
        descriptors += fresh
        if not data:
            close_all(descriptors)
            raise HelperError("the helper in the user namespace ended in the middle of a request")
        *lines, buffer = (buffer + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "output" in message:
                if output is not None:
                    output(message["output"].encode("utf-8", "surrogateescape"))
            elif "error" in message:
                close_all(descriptors)
                raise HelperError(message["error"])
            else:
                return Reply(message["result"], tuple(descriptors))


def close_all(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)
