"""The settings of the Podman executor, already typed; `runner.config` reads them from config.toml."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.executor.base import ConfigurationError

UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
SIZE = re.compile(r"(\d+)([bkmgt]?)b?", re.IGNORECASE)
PULL_POLICIES = ("always", "if-not-present", "never")
NETWORKS = ("", "private", "none")


@dataclass(frozen=True, slots=True)
class PodmanSettings:
    """How one runner uses Podman.

    `image` is for jobs that name none; `allowed_images` and `allowed_services` are glob patterns, empty allows all.
    `pull_policy`: tried in turn; `allowed_pull_policies` bounds what jobs may ask for (empty: the runner's own alone).
    `memory` is in bytes, `cpus` in cores, 0 is no limit. `network`: "" and "private" are a network of the job's own by
    whatever program Podman has for it (slirp4netns or pasta), "none" is no network; nothing else, so that no job
    shares the host's.
    `socket` is a running Podman service's; None starts one that belongs to this process.
    `private_images` is the file that remembers which images not every job may have (`podman_private`).
    `shm_size` is in bytes, `extra_hosts` are lines for /etc/hosts ("name:address"); both are the administrator's.
    `grace` is the time in seconds from SIGTERM to SIGKILL, `pull_timeout` bounds one pull, `service_timeout` the wait
    for a service's first open port.
    """

    image: str = "localhost/skerry/base"
    pull_policy: Sequence[str] = ("if-not-present",)
    allowed_pull_policies: Sequence[str] = ()
    allowed_images: Sequence[str] = ()
    allowed_services: Sequence[str] = ()
    memory: int = 0
    cpus: float = 0.0
    pids_limit: int = 4096
    network: str = ""
    shm_size: int = 0
    extra_hosts: Sequence[str] = ()
    socket: Path | None = None
    private_images: Path | None = None
    podman: str = "podman"
    grace: float = 5.0
    pull_timeout: float = 600.0
    service_timeout: float = 30.0

    def __post_init__(self) -> None:
        for policy in (*self.pull_policy, *self.allowed_pull_policies):
            if policy not in PULL_POLICIES:
                raise ConfigurationError(f"pull policy {policy!r} is none of {', '.join(PULL_POLICIES)}")
        if not self.pull_policy:
            raise ConfigurationError("pull_policy may not be empty")
        if self.network not in NETWORKS:
            raise ConfigurationError(f"network {self.network!r} is none of {', '.join(map(repr, NETWORKS))}")


def size(text: str) -> int:
    """Podman's spelling of a size ("512m", "2g", "1048576") in bytes; "" is 0. Raises ConfigurationError."""
    if not text:
        return 0
    match = SIZE.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError(f"{text!r} is no size like 512m or 2g")
    return int(match.group(1)) * UNITS[match.group(2).lower()]
