"""The real runner in a process of its own, as the ordinary user that `runner_user` is, and this user's containers."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.stack import Server, wait_until


@dataclass
class Daemon:
    """`skerry-runner run` as the runner's user; `start` after `kill` is the same runner again."""

    user: Any
    folder: Path
    process: "subprocess.Popen[str] | None" = None

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def program(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "runner", *words, "--config", str(self.config)]

    def register(self, server: Server, *options: str, concurrent: int = 2) -> None:
        """Join `server` with a new token; `options` go to `skerry runner create`."""
        token = server.cli("runner", "create", *options)
        words = self.program("register", "--url", server.url, "--token", token, "--name", "test")
        self.user.run(words, cwd=self.user.checkout)
        self.user.run(["sed", "-i", f"s/^concurrent *=.*/concurrent = {concurrent}/", str(self.config)])

    def start(self) -> None:
        log = self.folder / "runner.log"
        self.process = self.user.popen(
            ["sh", "-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1', "sh", str(log), *self.program("run")],
            cwd=self.user.checkout,
        )

    def stop(self, seconds: float = 60) -> None:
        """Ask it to finish, as a service manager does."""
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=seconds)
            self.process = None

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=10)
        self.process = None


@dataclass
class Containers:
    """The runner user's containers, as Podman tells of them."""

    user: Any

    def of(self, job_id: int) -> str:
        listed = self.user.run(["podman", "ps", "-aq", "--filter", f"label=skerry.job={job_id}"])
        return str(listed.stdout.strip())

    def gone(self, job_id: int, seconds: float) -> None:
        wait_until(f"no container of job {job_id} is left", lambda: not self.of(job_id), seconds, every=0.2)
