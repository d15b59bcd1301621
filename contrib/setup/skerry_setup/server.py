"""The server: its data folder, the first user, a token for the set-up, and the running program."""

import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .accounts import Account
from .api import Api, ApiError
from .environment import Environment
from .processes import Service
from .settings import Settings
from .ui import SetupError, note, step

ADMIN = "admin"


@dataclass(frozen=True)
class Server:
    settings: Settings
    environment: Environment
    account: Account

    @property
    def notes_dir(self) -> Path:
        """What the set-up keeps for its next run, in the server's own folder."""
        return self.settings.data_dir / "setup"

    def command(self, *arguments: str) -> str:
        """Runs `skerry ARGUMENTS` as the server's user; its output. Raises SetupError."""
        return self.account.must_run([self.environment.program("skerry"), *arguments], self._variables())

    def initialise(self) -> None:
        """Data folder, database and keys; harmless when they are there."""
        self.account.make_dir(self.settings.data_dir)
        self.account.make_dir(self.notes_dir)
        self.command("init")

    def service(self) -> Service:
        return Service(
            "the server",
            self.account,
            (str(self.environment.program("skerry")), "serve"),
            self._variables(),
            self.settings.data_dir / "server.log",
            self.settings.state_dir / "server.pid",
        )

    def api_when_ready(self, still_running: Callable[[], None]) -> Api:
        """A client with the administrator's rights, once the server answers. Makes user and token if missing."""
        Api(self.settings.local_url).wait_until_ready(60, still_running)
        token = self._kept_token()
        if token and _accepted(self.settings.local_url, token):
            return Api(self.settings.local_url, token)
        token = self._new_token()
        with self.account.acting():
            path = self.notes_dir / "api-token"
            path.touch(mode=0o600)
            path.write_text(token + "\n", encoding="ascii")
        return Api(self.settings.local_url, token)

    def token(self) -> str:
        """The token of the client that `api_when_ready` gave."""
        return self._kept_token()

    def _new_token(self) -> str:
        """A token of the administrator, who is made first unless there."""
        skerry = self.environment.program("skerry")
        made = self.account.run([skerry, "user", "create", ADMIN, "--admin"], self._variables())
        if made.returncode == 0:
            step(f"Made the user {ADMIN} with the password {made.stdout.strip()}")
            note("Keep it now: it is not shown again.")
        return self.command("token", "create", "--user", ADMIN, "--scopes", "api").strip()

    def _kept_token(self) -> str:
        try:
            with self.account.acting():
                return (self.notes_dir / "api-token").read_text(encoding="ascii").strip()
        except OSError:
            return ""

    def _variables(self) -> dict[str, str]:
        return self.account.environment(**self.settings.server_environment())


def require_free_port(settings: Settings) -> None:
    """Raises SetupError if the server could not listen where it shall."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SetupError(
                f"another program listens on {settings.bind}.",
                f"Choose another port: make up SKERRY_BIND={settings.host}:{settings.port + 1}",
            ) from error
        raise SetupError(
            f"the server cannot listen on {settings.bind}: {error.strerror}.", "Set SKERRY_BIND to another address."
        ) from error
    if settings.as_root and settings.port < _lowest_port():
        raise SetupError(
            f"the user skerry may not listen on port {settings.port}.",
            "Choose 1024 or higher and put nginx in front: docs/howto/nginx.md",
        )


def _lowest_port() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 1024


def _accepted(url: str, token: str) -> bool:
    try:
        Api(url, token).get("user")
    except ApiError as error:
        if error.status in (401, 403):
            return False
        raise
    return True
