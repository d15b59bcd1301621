"""Makes the executor and the workspaces that a `[[runners]]` table asks for. Heavy modules are loaded here,
not before.
"""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from runner.config import Config, PodmanTable, RunnerConfig
from runner.executor.base import Executor
from runner.executor.podman_settings import PodmanSettings, size
from runner.workspace.base import Workspaces


def make_executor(config: Config, runner: RunnerConfig) -> Executor:
    """The executor of one runner. Raises ExecutorError where this host cannot have it."""
    if runner.executor == "fake":
        from runner.executor.fake import FakeExecutor

        return FakeExecutor()
    executor: Executor = import_module("runner.executor.podman").PodmanExecutor(_podman_settings(config, runner))
    return executor


def make_workspaces(config: Config, runner: RunnerConfig, executor: Executor) -> Workspaces:
    """The workspaces of one runner: trees below `data_dir`, caches there or in its own `cache_dir`."""
    local = import_module("runner.workspace.local")
    root = config.data_dir / "builds" / runner.short_token
    cache = Path(runner.cache_dir) if runner.cache_dir else config.data_dir / "cache" / runner.short_token
    # Files of Podman's jobs belong to other users; its helper reads them inside the user namespace.
    limits = import_module("runner.workspace.eviction").CacheLimits(size(runner.cache_max_size), runner.cache_max_age)
    helper = getattr(executor, "helper", None)
    caches = _remote_caches(runner, cache, helper) if runner.cache.type else None
    workspaces: Workspaces = local.LocalWorkspaces(root, cache, helper, cache_limits=limits, caches=caches)
    return workspaces


def _remote_caches(runner: RunnerConfig, root: Path, helper: Any) -> Any:
    """Caches that are kept in object storage too."""
    remote, userns = import_module("runner.workspace.remote_caches"), import_module("runner.workspace.userns")
    return import_module("runner.workspace.caches").Caches(
        root,
        helper or userns.InProcess(),
        remote.S3Caches(runner.cache),
        lambda project, key: remote.object_name(runner.cache, runner.short_token, project, key),
    )


def _podman_settings(config: Config, runner: RunnerConfig) -> PodmanSettings:
    table: PodmanTable = runner.podman
    settings = PodmanSettings(
        pull_policy=table.pull_policy,
        allowed_pull_policies=table.allowed_pull_policies,
        allowed_images=table.allowed_images,
        allowed_services=table.allowed_services,
        memory=size(table.memory),
        cpus=table.cpus,
        pids_limit=table.pids_limit,
        network=table.network_mode,
        shm_size=size(table.shm_size),
        extra_hosts=table.extra_hosts,
        private_images=config.data_dir / "private-images.json",
        socket=Path(table.host.removeprefix("unix://")) if table.host else None,
        service_timeout=table.wait_for_services_timeout,
        pull_timeout=table.pull_timeout,
    )
    return replace(settings, image=table.image) if table.image else settings
