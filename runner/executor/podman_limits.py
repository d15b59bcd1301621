"""Memory, CPU and process limits, as far as this host can enforce them for an ordinary user."""

import logging
from typing import Any

from runner.executor.podman_api import PodmanClient
from runner.executor.podman_settings import PodmanSettings

PERIOD = 100_000

logger = logging.getLogger(__name__)


def limits(client: PodmanClient, settings: PodmanSettings) -> dict[str, Any]:
    """The part of every container's specification that the administrator decides: limits, and lines for /etc/hosts.

    Call it once: it warns about what cannot be enforced.

    Controllers count where cgroups v2 delegates them to this user. Without the pids controller, RLIMIT_NPROC keeps a
    fork bomb from taking the host down; it counts all processes of the runner's user, so a bomb may starve jobs beside
    it.
    """
    host = client.request("GET", "/info").get("host") or {}
    controllers = set(host.get("cgroupControllers") or ()) if host.get("cgroupVersion") == "v2" else set()
    resources: dict[str, Any] = {}
    spec: dict[str, Any] = {}
    if settings.memory and has("memory", "memory", controllers):
        resources["memory"] = {"limit": settings.memory, "swap": settings.memory}
    if settings.cpus and has("cpu", "cpus", controllers):
        resources["cpu"] = {"quota": int(settings.cpus * PERIOD), "period": PERIOD}
    if settings.pids_limit:
        if "pids" in controllers:
            resources["pids"] = {"limit": settings.pids_limit}
        else:
            spec["r_limits"] = [{"type": "nproc", "soft": settings.pids_limit, "hard": settings.pids_limit}]
    if settings.extra_hosts:
        spec["hostadd"] = list(settings.extra_hosts)
    if settings.shm_size:
        spec["shm_size"] = settings.shm_size
    if resources:
        spec["resource_limits"] = resources
    return spec


def has(controller: str, setting: str, controllers: set[str]) -> bool:
    """Whether `controller` can be used; says so when it cannot."""
    if controller not in controllers:
        logger.warning("`%s` is not enforced: cgroups v2 does not delegate the %s controller here", setting, controller)
    return controller in controllers
