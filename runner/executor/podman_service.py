"""The Podman service that belongs to this process: `podman system service` as a child that dies with it."""

import contextlib
import logging
import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from runner.executor.podman_api import PodmanClient, PodmanError

START_SECONDS = 30.0
STOP_SECONDS = 5.0

logger = logging.getLogger(__name__)


class PodmanService:
    """Starts the service, starts it again when it dies, ends it.

    A thread of its own starts the child and waits for it: the parent-death signal goes off when the *thread* that
    made the child ends, so it must be one that lives as long as the process.
    """

    def __init__(self, podman: str = "podman") -> None:
        self._podman = podman
        self._folder = Path(tempfile.mkdtemp(prefix="skerry-podman-", dir=os.environ.get("XDG_RUNTIME_DIR")))
        self._closing = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self.socket = self._folder / "podman.sock"
        # Sets up the pause process. Without one, the service would leave a second process behind that outlives it.
        run_once(podman)
        self._thread = threading.Thread(target=self._keep, name="podman-service", daemon=True)
        self._thread.start()
        self._wait_until_ready()

    def close(self) -> None:
        """End the service. Containers go on; whoever wants them gone removes them before."""
        self._closing.set()
        child = self._child
        if child is not None and child.poll() is None:
            child.terminate()
        self._thread.join(STOP_SECONDS)
        if child is not None and child.poll() is None:
            child.kill()
            self._thread.join(STOP_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _keep(self) -> None:
        command = [self._podman, "system", "service", "--time", "0", f"unix://{self.socket}"]
        if setpriv := shutil.which("setpriv"):
            command = [setpriv, "--pdeathsig", "TERM", "--", *command]
        while not self._closing.is_set():
            self.socket.unlink(missing_ok=True)
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is for the runner, which still needs the service to tidy up
            )
            code = self._child.wait()
            if not self._closing.wait(1.0):
                logger.warning("the Podman service ended with %s and is started again", code)

    def _wait_until_ready(self) -> None:
        client = PodmanClient(self.socket)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.socket.exists():
                with contextlib.suppress(PodmanError):
                    client.request("GET", "/version")
                    return
            time.sleep(0.02)
        self.close()
        raise PodmanError(f"`{self._podman} system service` did not answer within {START_SECONDS:.0f} s")


def run_once(podman: str) -> None:
    """`podman info`; raises PodmanError with Podman's words when it cannot work here at all."""
    try:
        done = subprocess.run([podman, "info"], capture_output=True, text=True, timeout=START_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PodmanError(f"Podman cannot be run: {error}") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise PodmanError(f"`podman info` failed: {last}; `skerry-runner doctor` says more")
