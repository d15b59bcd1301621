"""The runner's settings: `config.toml` as gitlab-runner's users know it, read once, typed, refusing nonsense.

`load(path)` gives a `Config` and the warnings that a user should see; `ConfigError` names the file and the key.
The text is changed by `runner.config_file`, which keeps comments.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.executor.podman_settings import NETWORKS, PULL_POLICIES
from runner.toml_reader import ConfigError, TableReader

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
EXECUTORS = ("podman", "fake")
_TOKEN_PREFIX = re.compile(r"^(?:glrtr?-)?(?:t[123]_)?")


@dataclass(frozen=True, slots=True)
class PodmanTable:
    """`[runners.podman]` as written: what the Podman executor may and should do.

    `image` is used by jobs that name none, empty for the executor's own default. `host` is the socket of a running
    Podman service ("unix:///…"), empty for one of the runner's own. Empty `allowed_*` lists allow all; their entries
    are globs. `memory` and `shm_size` are Podman's spelling ("512m"), empty for no limit; `cpus` 0 is no limit.
    Timeouts are in seconds.
    """

    image: str = ""
    host: str = ""
    pull_policy: tuple[str, ...] = ("if-not-present",)
    allowed_pull_policies: tuple[str, ...] = ()
    allowed_images: tuple[str, ...] = ()
    allowed_services: tuple[str, ...] = ()
    memory: str = ""
    cpus: float = 0.0
    pids_limit: int = 4096
    shm_size: str = ""
    network_mode: str = ""
    extra_hosts: tuple[str, ...] = ()
    wait_for_services_timeout: float = 30.0
    pull_timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class S3Table:
    """`[runners.cache.s3]`, in the words of gitlab-runner. Empty `server_address` is Amazon; without `access_key` the
    keys come from the environment or the host's role.
    """

    server_address: str = ""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    bucket_name: str = ""
    bucket_location: str = ""
    insecure: bool = False
    path_style: bool = False


@dataclass(frozen=True, slots=True)
class CacheTable:
    """`[runners.cache]`: where caches are kept beside this host's disk. `type` "" is nowhere else. `path` goes before
    the objects' names; `shared` leaves the runner's own part out of them.
    """

    type: str = ""
    path: str = ""
    shared: bool = False
    s3: S3Table = field(default_factory=S3Table)


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """One `[[runners]]` table. `limit` and `request_concurrency` count jobs and polls; `limit` 0 is no limit of its
    own.

    `builds_dir` is the path that jobs see, `cache_dir` a host folder (empty: below `data_dir`). `cache_max_size` bounds
    all caches together ("10g"), `cache_max_age` the seconds that an unused one stays; 0 is no limit. `output_limit` is
    in KiB. `environment` are (key, value) pairs that every job gets. `unhealthy_interval` is in seconds.
    """

    name: str
    url: str
    token: str = field(repr=False)
    id: int = 0
    executor: str = "podman"
    builds_dir: str = "/builds"
    cache_dir: str = ""
    cache_max_size: str = "10g"
    cache_max_age: float = 30 * 24 * 3600.0
    clone_url: str = ""
    tls_ca_file: str = ""
    limit: int = 0
    request_concurrency: int = 1
    output_limit: int = 256 * 1024
    environment: tuple[tuple[str, str], ...] = ()
    unhealthy_requests_limit: int = 3
    unhealthy_interval: float = 3600.0
    podman: PodmanTable = field(default_factory=PodmanTable)
    cache: CacheTable = field(default_factory=CacheTable)

    @property
    def short_token(self) -> str:
        """The token's first nine characters after its prefix: an identifier for people and paths, not a secret."""
        return _TOKEN_PREFIX.sub("", self.token)[:9]


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file. `check_interval`, `shutdown_timeout` and `final_update_timeout` are in seconds.

    `final_update_timeout` bounds how long a finished job's log and result are offered to a server that is away.
    """

    path: Path
    data_dir: Path
    concurrent: int = 1
    check_interval: float = 3.0
    log_level: str = "info"
    log_format: str = "text"
    shutdown_timeout: float = 30.0
    final_update_timeout: float = 24 * 3600.0
    runners: tuple[RunnerConfig, ...] = ()


def default_path() -> Path:
    """Where `config.toml` lies when nobody says: `SKERRY_RUNNER_CONFIG`, /etc for root, else the user's own folder."""
    named = os.environ.get("SKERRY_RUNNER_CONFIG")
    return Path(named) if named else _standard_path()


def _standard_path() -> Path:
    if os.geteuid() == 0:
        return Path("/etc/skerry-runner/config.toml")
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "skerry-runner" / "config.toml"


def default_data_dir(path: Path) -> Path:
    """Where workspaces, caches and the daemon's own state lie unless `data_dir` says otherwise: at the usual place for
    the usual configuration file, beside any other one.
    """
    if path != _standard_path():
        return path.parent / "work"
    if os.geteuid() == 0:
        return Path("/var/lib/skerry-runner")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "skerry-runner"


def load(path: Path) -> tuple[Config, list[str]]:
    """Read `path`. Returns the settings and warnings (one sentence each). Raises ConfigError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; `skerry-runner register` writes it") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    return parse(document, path)


def parse(document: Mapping[str, Any], path: Path) -> tuple[Config, list[str]]:
    """The same for a file that is already TOML; `path` is for messages."""
    warnings: list[str] = []
    top = TableReader(document, str(path), "", warnings)
    runners = tuple(_runner(table) for table in top.tables("runners"))
    data_dir = top.text("data_dir", "")
    config = Config(
        path=path,
        data_dir=(path.parent / Path(data_dir).expanduser()) if data_dir else default_data_dir(path),
        concurrent=top.integer("concurrent", 1, least=1),
        check_interval=top.seconds("check_interval", 3.0, zero_means_default=True),
        log_level=top.choice("log_level", LOG_LEVELS, "info"),
        log_format=top.choice("log_format", ("text", "json"), "text"),
        shutdown_timeout=top.seconds("shutdown_timeout", 30.0, zero_means_default=True),
        final_update_timeout=top.seconds("final_update_timeout", 24 * 3600.0),
        runners=runners,
    )
    top.finish()
    warnings.extend(_doubles(runners, path))
    return config, warnings


def _doubles(runners: tuple[RunnerConfig, ...], path: Path) -> list[str]:
    seen: set[tuple[str, str]] = set()
    found = []
    for runner in runners:
        if (runner.url, runner.token) in seen:
            found.append(f"{path}: two [[runners]] have the same url and token ({runner.name})")
        seen.add((runner.url, runner.token))
    return found


def _runner(table: TableReader) -> RunnerConfig:
    token = table.text("token", required=True)
    if any(not 33 <= ord(character) <= 126 for character in token):
        raise table.error("token", "must be printable ASCII without spaces")
    podman, cache = table.table("podman"), table.table("cache")
    runner = RunnerConfig(
        name=table.text("name", "skerry-runner"),
        url=table.url("url"),
        token=token,
        id=table.integer("id", 0),
        executor=table.choice("executor", EXECUTORS, "podman"),
        builds_dir=table.absolute("builds_dir", "/builds"),
        cache_dir=table.absolute("cache_dir", ""),
        cache_max_size=table.size("cache_max_size", "10g"),
        cache_max_age=table.seconds("cache_max_age", 30 * 24 * 3600.0),
        clone_url=table.url("clone_url", ""),
        tls_ca_file=table.absolute("tls-ca-file", ""),
        limit=table.integer("limit", 0),
        request_concurrency=table.integer("request_concurrency", 1, least=1),
        output_limit=table.integer("output_limit", 256 * 1024, least=1),
        environment=table.assignments("environment"),
        unhealthy_requests_limit=table.integer("unhealthy_requests_limit", 3, least=1),
        unhealthy_interval=table.seconds("unhealthy_interval", 3600.0),
        podman=_podman(podman) if podman else PodmanTable(),
        cache=_cache(cache) if cache else CacheTable(),
    )
    table.finish(silent=("token_obtained_at", "token_expires_at", "shell"))
    return runner


def _cache(table: TableReader) -> CacheTable:
    kind = table.choice("Type", ("", "s3"), "")
    s3 = table.table("s3")
    settings = CacheTable(
        type=kind,
        path=table.text("Path", ""),
        shared=table.flag("Shared"),
        s3=_s3(s3) if s3 else S3Table(),
    )
    if kind == "s3" and not settings.s3.bucket_name:
        raise table.error("s3.BucketName", "is missing")
    table.finish()
    return settings


def _s3(table: TableReader) -> S3Table:
    address = table.text("ServerAddress", "")
    if "/" in address or any(character.isspace() for character in address):
        raise table.error("ServerAddress", f"must be a host, with a port where needed, not {address!r}")
    settings = S3Table(
        server_address=address,
        access_key=table.text("AccessKey", ""),
        secret_key=table.text("SecretKey", ""),
        bucket_name=table.text("BucketName", ""),
        bucket_location=table.text("BucketLocation", ""),
        insecure=table.flag("Insecure"),
        path_style=table.flag("PathStyle", bool(address) and not address.endswith(".amazonaws.com")),
    )
    if bool(settings.access_key) != bool(settings.secret_key):
        raise table.error("AccessKey", "and SecretKey belong together: only one of them is set")
    table.finish(silent=("AuthenticationType",))
    return settings


def _podman(table: TableReader) -> PodmanTable:
    host = table.text("host", "")
    if host and not host.startswith(("unix:///", "/")):
        raise table.error("host", f'must be a socket such as "unix:///run/user/1000/podman/podman.sock", not {host!r}')
    settings = PodmanTable(
        image=table.text("image", ""),
        host=host,
        pull_policy=table.choices("pull_policy", PULL_POLICIES) or ("if-not-present",),
        allowed_pull_policies=table.choices("allowed_pull_policies", PULL_POLICIES),
        allowed_images=table.strings("allowed_images"),
        allowed_services=table.strings("allowed_services"),
        memory=table.size("memory"),
        cpus=table.number("cpus", 0.0),
        pids_limit=table.integer("pids_limit", 4096),
        shm_size=table.size("shm_size"),
        network_mode=table.choice("network_mode", NETWORKS, ""),
        extra_hosts=table.strings("extra_hosts"),
        wait_for_services_timeout=table.seconds("wait_for_services_timeout", 30.0),
        pull_timeout=table.seconds("pull_timeout", 600.0),
    )
    table.finish()
    return settings
