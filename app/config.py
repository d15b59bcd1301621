"""Skerry's settings: read once from `SKERRY_*` in the environment, typed, and refused when they make no sense.

Every setting NAME may also be given as NAME_FILE, the path of a file that holds the value (for secrets kept by an
init system). docs/reference/settings.md lists them all; a test compares that page with this class.
"""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "SKERRY_"


class ConfigError(Exception):
    """A setting is missing or makes no sense. The message names the variable and what would be right."""


def _integer(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return read


def _boolean(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in known:
        raise ValueError("one of true, false")
    return known[text.lower()]


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("an http or https address such as https://ci.example.com")
    return text.rstrip("/")


def _bind(text: str) -> str:
    host, separator, port = text.rpartition(":")
    if text.startswith("unix:/"):
        return text
    if not separator or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("HOST:PORT such as 127.0.0.1:8000, or unix:/path/of/a.sock")
    return text


def _networks(text: str) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_network(part.strip(), strict=False)) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError("addresses or networks, separated by commas, such as 127.0.0.1,10.0.0.0/8") from error


def _origins(text: str) -> tuple[str, ...]:
    found = []
    for part in filter(None, (part.strip().lower().rstrip("/") for part in text.split(","))):
        parts = urlsplit(part)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.username
            or part != f"{parts.scheme}://{parts.netloc}"
        ):
            raise ValueError("origins, separated by commas, such as https://candor.example.com")
        found.append(part)
    return tuple(found)


def _database(text: str) -> str:
    if not text.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
        raise ValueError("sqlite:////path/of/a.db or postgresql+psycopg://USER:PASSWORD@HOST/NAME")
    return text.replace("postgresql://", "postgresql+psycopg://", 1)


def _level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("one of DEBUG, INFO, WARNING, ERROR")
    return text.upper()


def _setting(read: Callable[[str], Any], help_text: str, **default: Any) -> Any:
    return field(metadata={"read": read, "help": help_text}, **default)


MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings. Sizes are bytes, durations seconds."""

    data_dir: Path = _setting(Path, "Folder of database, repositories, traces and artifacts", default=Path("data"))
    database_url: str = _setting(_database, "Database; SQLite below the data folder when empty", default="")
    bind: str = _setting(_bind, "Address to listen on", default="127.0.0.1:8000")
    external_url: str = _setting(
        _url, "Address that users and runners see; from the bind address when empty", default=""
    )
    trusted_proxies: tuple[str, ...] = _setting(_networks, "Proxies whose X-Forwarded-* headers count", default=())
    secret_key: str = _setting(
        str, "Base64 of the 32-byte key of secrets at rest; else the file secret.key", default=""
    )
    log_level: str = _setting(_level, "Least level that is logged", default="INFO")
    workers: int = _setting(_integer(1, 64), "Server processes; more than one needs PostgreSQL", default=1)
    threads: int = _setting(_integer(8, 4096), "Threads of a server process", default=512)
    max_waiting: int = _setting(_integer(1, 4000), "Requests of a process that may wait (polls, streams)", default=400)
    poll_wait: int = _setting(_integer(0, 50), "How long a runner's poll is held", default=50)
    trace_limit: int = _setting(_integer(1024, 1 << 40), "Largest log of a job", default=256 * MIB)
    artifact_limit: int = _setting(_integer(1024, 1 << 44), "Largest artifact archive", default=4096 * MIB)
    artifact_expiry: int = _setting(
        _integer(0, 10**9), "Expiry of artifacts that name none; 0 never", default=30 * 86400
    )
    push_limit: int = _setting(_integer(1024, 1 << 40), "Largest push", default=2048 * MIB)
    body_limit: int = _setting(_integer(1024, 1 << 32), "Largest body of any other request", default=4 * MIB)
    rate_limit_user: int = _setting(
        _integer(0, 10**9), "Requests a minute that a user or a job may make of the API; 0 any number", default=6000
    )
    rate_limit_address: int = _setting(
        _integer(0, 10**9), "The same of an address that nobody signed in from", default=1500
    )
    lease: int = _setting(_integer(10, 3600), "A running job that is silent for so long is lost", default=180)
    claim_lease: int = _setting(
        _integer(5, 3600), "A claimed job never heard of is given back after so long", default=60
    )
    stuck_after: int = _setting(_integer(60, 10**7), "A job that no runner can take fails after so long", default=3600)
    pending_limit: int = _setting(_integer(60, 10**7), "A job that waits for so long fails", default=86400)
    audit_retention: int = _setting(
        _integer(0, 10**10), "Rows of the audit log are removed after so long; 0 never", default=0
    )
    default_git_depth: int = _setting(_integer(0, 10**6), "Commits that a job fetches; 0 all", default=20)
    strict_triggers: bool = _setting(
        _boolean, "A trigger is refused while the pipeline that it starts runs, not queued", default=False
    )
    allowed_origins: tuple[str, ...] = _setting(
        _origins, "Other sites whose pages may call the API that signs in by cookie, with it", default=()
    )
    pages_url: str = _setting(
        _url,
        "Address of the sites that jobs publish, on a host of its own; only there scripts run in them",
        default="",
    )
    allow_registration: bool = _setting(_boolean, "Runners may register with a registration token", default=True)
    remote_includes: bool = _setting(
        _boolean, "The server fetches what configurations include by http or https", default=True
    )
    remote_include_networks: tuple[str, ...] = _setting(
        _networks, "Private networks that it may fetch from; the public internet it always may", default=()
    )

    def __post_init__(self) -> None:
        if self.workers > 1 and not self.database_url.startswith("postgresql"):
            raise ConfigError(
                "SKERRY_WORKERS: more than one process needs SKERRY_DATABASE_URL to name a PostgreSQL database"
            )
        if self.max_waiting >= self.threads:
            raise ConfigError(
                "SKERRY_MAX_WAITING: must be smaller than SKERRY_THREADS, so that pages are still answered"
            )
        object.__setattr__(self, "data_dir", self.data_dir.absolute())
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{self.data_dir / 'skerry.db'}")
        if not self.external_url:
            object.__setattr__(
                self, "external_url", f"http://{self.bind}" if ":/" not in self.bind else "http://localhost"
            )

        if self.pages_url and urlsplit(self.pages_url).hostname == urlsplit(self.external_url).hostname:
            raise ConfigError(
                "SKERRY_PAGES_URL: must name another host than SKERRY_EXTERNAL_URL, or it sees its cookies"
            )

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def read_config(environment: Mapping[str, str]) -> Config:
    """The Config that `environment` describes. Raises ConfigError on the first setting that makes no sense."""
    values = {}
    for setting in fields(Config):
        name = PREFIX + setting.name.upper()
        text = _text(environment, name)
        if text is None:
            continue
        try:
            values[setting.name] = setting.metadata["read"](text)
        except ValueError as error:
            raise ConfigError(f"{name}: must be {error}") from error
    return Config(**values)


def _text(environment: Mapping[str, str], name: str) -> str | None:
    """The value of `name`, or the content of the file that NAME_FILE points at. Empty counts as not given."""
    if environment.get(name):
        return environment[name]
    path = environment.get(name + "_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except OSError as error:
        raise ConfigError(f"{name}_FILE: cannot read {path}: {error.strerror}") from error
