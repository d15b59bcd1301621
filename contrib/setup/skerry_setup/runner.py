"""The runner: its configuration, registration with the server, and the running program."""

import os
from dataclasses import dataclass
from pathlib import Path

from .accounts import Account
from .environment import Environment
from .podman_host import BASE_IMAGE
from .processes import Service
from .server import Server
from .settings import Settings
from .ui import step

CONFIGURATION = """\
# Written by `make up`; yours to change. docs/howto/runner.md explains every key.
concurrent = {concurrent}
data_dir = "work"
"""


@dataclass(frozen=True)
class Runner:
    settings: Settings
    environment: Environment
    account: Account

    @property
    def configuration(self) -> Path:
        return self.settings.runner_dir / "config.toml"

    def prepare(self) -> None:
        """Its folder and a first configuration."""
        self.account.make_dir(self.settings.runner_dir)
        with self.account.acting():
            if not self.configuration.exists():
                self.configuration.touch(mode=0o600)
                self.configuration.write_text(
                    CONFIGURATION.format(concurrent=max(2, os.cpu_count() or 2)), encoding="utf-8"
                )

    def ensure_registered(self, server: Server) -> None:
        """Registers with the server unless it knows this runner already (a new database forgets it)."""
        program: str | Path = self.environment.program("skerry-runner")
        if self._is_registered() and self.account.run([program, "verify"], self._variables()).returncode == 0:
            return
        step("Registering the runner")
        if self._is_registered():
            self.account.must_run([program, "unregister", "--all-runners", "--keep-at-server"], self._variables())
        # The token goes by the environment: arguments can be read by every user of the machine.
        token = server.command("runner", "create", "--run-untagged").strip()
        variables = self._variables() | {"CI_SERVER_TOKEN": token}
        register = [program, "register", "--url", self.settings.local_url, "--image", BASE_IMAGE]
        self.account.must_run(register, variables)

    def service(self) -> Service:
        return Service(
            "the runner",
            self.account,
            (str(self.environment.program("skerry-runner")), "run"),
            self._variables(),
            self.settings.runner_dir / "runner.log",
            self.settings.state_dir / "runner.pid",
        )

    def _is_registered(self) -> bool:
        with self.account.acting():
            return "[[runners]]" in self.configuration.read_text(encoding="utf-8")

    def _variables(self) -> dict[str, str]:
        return self.account.environment(SKERRY_RUNNER_CONFIG=str(self.configuration))
