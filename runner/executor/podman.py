"""Jobs in rootless Podman containers.

How the pieces fit: `podman_service` runs Podman's service as a child, `podman_api` speaks to it, `podman_images` gets
images, `podman_environment` is a job's place, made of `podman_container` (scripts in lock-step), `podman_services`,
`podman_relay` (the way to a server on loopback) and `podman_limits`; `podman_removal` tidies up behind. What needs
more rights than the runner's user has is done by `runner.workspace.userns`.
"""

import json
import logging
import os
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.executor.base import Build, Cancelled, ExecutorError, Output
from runner.executor.podman_api import PodmanClient, PodmanError
from runner.executor.podman_environment import PodmanEnvironment
from runner.executor.podman_images import Images
from runner.executor.podman_limits import limits
from runner.executor.podman_names import forget_lost_networks
from runner.executor.podman_removal import Removal
from runner.executor.podman_service import PodmanService
from runner.executor.podman_settings import PodmanSettings
from runner.workspace.userns import Helper, HelperError, UserNamespace

REMOVAL_SECONDS = 30.0
RUNNER_LABEL, JOB_LABEL, BOOT_LABEL = "skerry.runner", "skerry.job", "skerry.boot"

logger = logging.getLogger(__name__)


class PodmanExecutor:
    """See `executor.base.Executor`. One for all slots of a runner; make it in a thread of the daemon's own life.

    `helper` is the way into the user namespace, to be shared with `LocalWorkspaces`; without one the executor makes
    its own, found at `helper`. Raises ExecutorError when Podman cannot work here, or for root: no job runs as root of
    the host.
    """

    name = "podman"

    def __init__(self, settings: PodmanSettings, helper: Helper | None = None) -> None:
        if os.geteuid() == 0:
            raise ExecutorError("the Podman executor runs as an ordinary user, never as root")
        self._settings = settings
        self._service: PodmanService | None = None
        if settings.socket is None:
            self._service = PodmanService(settings.podman)
            self._client = PodmanClient(self._service.socket)
        else:
            self._client = PodmanClient(settings.socket)
        self.helper = helper or UserNamespace(settings.podman)
        self._own_helper = helper is None
        self._images = Images(self._client, settings)
        self._removal = Removal(self._client)
        self._environments: weakref.WeakSet[PodmanEnvironment] = weakref.WeakSet()
        self._warm_up()

    @property
    def socket(self) -> Path:
        """The Podman service's socket, for other executors of the same process."""
        return self._client.path

    def features(self) -> dict[str, bool]:
        """See `executor.base.Executor.features` (gitlab.md A.2)."""
        names = ("variables", "image", "services", "service_variables", "service_multiple_aliases")
        return dict.fromkeys((*names, "image_executor_opts", "service_executor_opts"), True)

    def prepare(self, build: Build, output: Output, cancelled: Cancelled) -> PodmanEnvironment:
        """See `executor.base.Executor.prepare`."""
        environment = PodmanEnvironment(
            build, self._client, self._images, self.helper, self._settings, self._limits, self._removal
        )
        self._environments.add(environment)
        try:
            environment.open(output, cancelled)
        except BaseException:
            environment.close()
            raise
        return environment

    def remove_orphans(self, runner: str, boot: str) -> list[int]:
        """See `executor.base.Executor.remove_orphans`. Waits for Podman, since new jobs may need the names and the
        space.
        """
        filters = json.dumps({"label": [f"{RUNNER_LABEL}={runner}"]})
        jobs: set[int] = set()
        found = self._client.request("GET", "/containers/json", query={"all": "true", "filters": filters}) or []
        for container in found:
            labels = container.get("Labels") or {}
            if labels.get(BOOT_LABEL) == boot:
                continue
            self._delete(f"/containers/{container['Id']}", {"force": "true", "timeout": "0", "v": "true"})
            if str(labels.get(JOB_LABEL, "")).isdigit():
                jobs.add(int(labels[JOB_LABEL]))
        self._remove_orphaned_networks(filters, boot)
        return sorted(jobs)

    def settle(self) -> bool:
        """Wait until everything that was closed so far is removed; False when half a minute was too short."""
        return self._removal.settle(REMOVAL_SECONDS)

    def close(self) -> None:
        """See `executor.base.Executor.close`. Closes what is still open and waits for removals, at most half a
        minute.
        """
        for environment in list(self._environments):
            environment.close()
        if not self._removal.close(REMOVAL_SECONDS):
            logger.warning("some containers are not removed yet; the next start does it")
        if self._own_helper:
            self.helper.close()
        if self._service is not None:
            self._service.close()

    def _remove_orphaned_networks(self, filters: str, boot: str) -> None:
        for network in self._client.request("GET", "/networks/json", query={"filters": filters}) or []:
            if (network.get("labels") or {}).get(BOOT_LABEL) != boot:
                self._delete(f"/networks/{network['name']}", {"force": "true"})
        forget_lost_networks(self._client)

    def _delete(self, path: str, query: Mapping[str, str]) -> None:
        try:
            self._client.request("DELETE", path, query=query)
        except PodmanError as error:
            if error.status != 404:
                logger.warning("an orphan cannot be removed: %s", error)

    def _warm_up(self) -> None:
        """Ask and start before the first job what every job needs."""
        try:
            self._limits: Mapping[str, Any] = limits(self._client, self._settings)
            if isinstance(self.helper, UserNamespace):
                self.helper.start()
        except (HelperError, ExecutorError) as error:
            self.close()
            raise ExecutorError(str(error)) from error
