"""git on the host, hardened: nobody's configuration, no hooks, no helpers, HTTP alone, no secret on a command line.

It works in repositories that no job has touched: the object cache, and a fresh tree before the first script.
"""

import base64
import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from runner.executor.base import Cancelled, Output
from runner.workspace.base import SourcesError

PASSED_ON = (
    "PATH", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)  # fmt: skip
SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.sshCommand": "false",
    "credential.helper": "",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "protocol.http.allow": "always",
    "protocol.https.allow": "always",
    "advice.detachedHead": "false",
    "checkout.workers": "0",
    "submodule.recurse": "false",
    # A server that sends nothing for a minute is gone.
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "60",
}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
TICK = 0.05
STOP_SECONDS = 5.0
LAST_LINES = 3


class GitError(SourcesError):
    """git failed; the message holds its last words."""


class Git:
    """Runs git commands with the same settings, credentials and place for their output."""

    def __init__(
        self, output: Output, cancelled: Cancelled, settings: Mapping[str, str] | None = None, secret: str = ""
    ) -> None:
        """`settings` are more git settings, handed over in the environment; `secret` is kept out of all messages."""
        self._output = output
        self._cancelled = cancelled
        self._settings = SETTINGS | dict(settings or {})
        self._secret = secret

    def run(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        show: bool = False,
    ) -> bytes:
        """Run `git arguments` in `folder` and return its standard output. `show`: what it says on standard error
        goes to the output. Raises GitError with its last words, also when the job was cancelled.
        """
        process = subprocess.Popen(
            ["git", *arguments],
            cwd=folder,
            env=self.environment() | dict(environment or {}),
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            umask=0o022,
        )
        threading.Thread(target=self._watch, args=(process,), name="git-watch", daemon=True).start()
        out, err = process.communicate(stdin)
        words = self._clean(err)
        if show and words:
            self._output(words.encode("utf-8", "replace") + b"\n")
        if self._cancelled.is_set():
            raise GitError("cancelled while fetching the sources")
        if process.returncode != 0:
            raise GitError("; ".join(words.splitlines()[-LAST_LINES:]) or f"git {arguments[0]} failed")
        return out

    def environment(self) -> dict[str, str]:
        """git's whole environment: of the runner's own, only the ways to the network are passed on."""
        environment = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
        environment |= {
            "HOME": "/nonexistent",
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "false",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_CONFIG_COUNT": str(len(self._settings)),
        }
        for number, (key, value) in enumerate(self._settings.items()):
            environment[f"GIT_CONFIG_KEY_{number}"] = key
            environment[f"GIT_CONFIG_VALUE_{number}"] = value
        return environment

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        """End git, and the helpers it started, when the job is cancelled."""
        while process.poll() is None:
            if self._cancelled.wait(TICK) and process.poll() is None:
                for number in (signal.SIGTERM, signal.SIGKILL):
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, number)
                    deadline = time.monotonic() + STOP_SECONDS
                    while process.poll() is None and time.monotonic() < deadline:
                        time.sleep(TICK)
                return

    def _clean(self, text: bytes) -> str:
        """git's words without the secret and without control characters."""
        words = text.decode("utf-8", "replace").replace("\r", "\n")
        if self._secret:
            words = words.replace(self._secret, "[MASKED]")
        return CONTROL.sub("?", words).strip()


def credentials(repository: str, username: str, password: str) -> dict[str, str]:
    """The setting that signs requests to the repository's own host and port, and to no other."""
    parts = urlsplit(repository)
    if not password or parts.scheme not in ("http", "https"):
        return {}
    token = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {f"http.{parts.scheme}://{parts.netloc}/.extraHeader": f"Authorization: Basic {token}"}
