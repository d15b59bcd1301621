"""What the user asked for: SKERRY_* in the environment and where the checkout is."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .reach import is_reachable
from .ui import SetupError

CHECKOUT = Path(__file__).resolve().parents[3]
SYSTEM_DATA = Path("/var/lib/skerry")
SYSTEM_CODE = Path("/opt/skerry")

# What a service inherits from the caller's environment; everything else is made anew.
PASSED_ON = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "TZ",
)


@dataclass(frozen=True)
class Settings:
    """`host`, `port`: where the server listens. `data_dir` is absolute; `relocated`: not at its default."""

    checkout: Path
    data_dir: Path
    host: str
    port: int
    environment: Mapping[str, str]
    as_root: bool
    relocated: bool = False

    @property
    def bind(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def local_url(self) -> str:
        """Where this machine reaches the server."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - read, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def key(self) -> str:
        """Short and the same for the same data folder: names what is kept outside of it."""
        return hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]

    @property
    def state_dir(self) -> Path:
        """Process files. Of root alone when root starts the services: it signals what these files name."""
        return Path("/run/skerry") / self.key if self.as_root else self.data_dir / "run"

    @property
    def runner_dir(self) -> Path:
        """The runner's configuration and work. Never in the server's folder when they are different users."""
        return Path("/var/lib/skerry-runner") / self.key if self.as_root else self.data_dir / "runner"

    def server_environment(self) -> dict[str, str]:
        """Every SKERRY_* setting of the caller, the resolved data folder and address."""
        ours = [name for name in self.environment if name.startswith("SKERRY_") and "_RUNNER_" not in name]
        return {name: self.environment[name] for name in ours} | {
            "SKERRY_DATA_DIR": str(self.data_dir),
            "SKERRY_BIND": self.bind,
        }

    def listening_on(self, bind: str) -> "Settings":
        """The same settings for another address."""
        host, port = _bind(bind)
        return replace(self, host=host, port=port)

    def passed_on(self) -> dict[str, str]:
        return {name: self.environment[name] for name in PASSED_ON if name in self.environment}


def read_settings(environment: Mapping[str, str], checkout: Path = CHECKOUT, as_root: bool | None = None) -> Settings:
    """Settings from the environment. Raises SetupError where they make no sense."""
    root = os.geteuid() == 0 if as_root is None else as_root
    host, port = _bind(environment.get("SKERRY_BIND") or "127.0.0.1:8000")
    data_dir, relocated = _data_dir(environment.get("SKERRY_DATA_DIR", ""), checkout, root)
    return Settings(checkout, data_dir, host, port, dict(environment), root, relocated)


def code_dir(checkout: Path) -> Path:
    """Where root keeps environment and code of a checkout that the service users cannot reach."""
    return SYSTEM_CODE / hashlib.sha256(str(checkout).encode()).hexdigest()[:12]


def _bind(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or host == "unix" or not port.isdigit() or not 0 < int(port) < 65536:
        raise SetupError(f"SKERRY_BIND={text} is not HOST:PORT.", "Set it like SKERRY_BIND=127.0.0.1:8000.")
    return host, int(port)


def _data_dir(given: str, checkout: Path, root: bool) -> tuple[Path, bool]:
    """The data folder, and whether it is not where the user would look for it."""
    default = checkout / "data"
    path = Path(given).absolute() if given else default
    resolved = path.resolve()
    if not root or is_reachable(resolved):
        return resolved, False
    if path != default:
        raise SetupError(
            f"SKERRY_DATA_DIR={given} lies where the user skerry cannot go.",
            f"Choose another folder, such as {SYSTEM_DATA}/data.",
        )
    return SYSTEM_DATA / hashlib.sha256(str(checkout).encode()).hexdigest()[:12], True
