"""A job's prepared place: its container, its services and their network, its way to the server."""

import logging
import secrets
import shlex
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runner.executor.base import (
    Build,
    Cancelled,
    ConfigurationError,
    ExecutorError,
    ImageRef,
    Output,
    RuntimeUnavailableError,
    Stage,
    StageResult,
)
from runner.executor.podman_api import PodmanClient
from runner.executor.podman_container import Container
from runner.executor.podman_images import Image, Images
from runner.executor.podman_relay import Relay, targets
from runner.executor.podman_removal import Removal
from runner.executor.podman_services import Services, network_of
from runner.executor.podman_settings import PodmanSettings
from runner.executor.podman_specification import specification
from runner.scripts import IMAGE_COMMAND
from runner.workspace.userns import Helper, HelperError

HELPER_SECONDS = 60.0

logger = logging.getLogger(__name__)


class PodmanEnvironment:
    """See `executor.base.Environment`. Made by `PodmanExecutor.prepare`, which calls `open`.

    Files and users: plain rootless Podman maps only the container's root to the runner's user, so an image with
    another USER could not write to the workspace. Before the first script the tree is therefore handed to that user,
    inside the user namespace (4,000 files: 40 ms; images that run as root: nothing to do). The other two ways are
    worse: a tree writable for all has wrong modes and makes git complain of dubious ownership, and `--userns=keep-id`
    copies each image at its first use.
    """

    def __init__(
        self,
        build: Build,
        client: PodmanClient,
        images: Images,
        helper: Helper,
        settings: PodmanSettings,
        limits: Mapping[str, Any],
        removal: Removal,
    ) -> None:
        self._build = build
        self._client = client
        self._images = images
        self._helper = helper
        self._settings = settings
        self._limits = limits
        self._removal = removal
        self._lock = threading.Lock()
        self._containers: list[Container] = []
        self._relays: dict[str, Relay] = {}
        self._main: Container | None = None
        self._services = Services(client, images, helper, settings)
        self._owner: tuple[int, int] = (0, 0)
        self._needs_files: set[str] = set()
        self._closed = False

    def open(self, output: Output, cancelled: Cancelled) -> None:
        """Get the images and start the containers. Raises ExecutorError; the caller then closes."""
        ref = self._build.image or ImageRef(self._settings.image)
        image = self._get(ref, output, cancelled) if self._build.has_container else None
        # All of them before anything runs: a job whose last image is not to be had has then done nothing yet.
        for other in self._build.stage_images:
            self._get(other, output, cancelled)
        if self._build.services:
            if self._settings.network == "none":
                raise ConfigurationError("This runner gives jobs no network, so they cannot have services")
            self._services.start(self._build, self._limits, output, cancelled)
            check(cancelled)
        if image is not None:
            self._main = self._start(ref, image, output)
        check(cancelled)

    def _get(self, ref: ImageRef, output: Output, cancelled: Cancelled) -> Image:
        image = self._images.get(ref, self._settings.allowed_images, output, cancelled, self._build.logins)
        check(cancelled)
        return image

    def run(self, stage: Stage, output: Output, cancelled: Cancelled) -> StageResult:
        """See `executor.base.Environment.run`."""
        if stage.image is not None:
            return self._run_in_own_image(stage, stage.image, output, cancelled)
        if self._main is None:
            raise ExecutorError("the environment was never prepared")
        return self._run(self._main, stage, output, cancelled)

    def stop(self) -> None:
        """See `executor.base.Environment.stop`. Services have no part in the workspace and are left to `close`; what
        they print is shown no longer.
        """
        with self._lock:
            containers = list(self._containers)
        self._services.silence()
        for container in containers:
            container.kill()

    def close(self) -> None:
        """See `executor.base.Environment.close`. The containers are removed in the background.

        Called again, it takes what another thread has still made after the first call.
        """
        with self._lock:
            self._closed = True
            containers, self._containers = self._containers, []
        for container in containers:
            self._end(container)
        self._services.remove(self._removal)

    def _run_in_own_image(self, stage: Stage, ref: ImageRef, output: Output, cancelled: Cancelled) -> StageResult:
        """A fresh container on the same workspace, for this stage alone."""
        image = self._get(ref, output, cancelled)
        if stage.runtime:
            self._require_runtime(stage.runtime)
        container = self._start(ref, image, output)
        if stage.image_command:
            if not image.command:
                raise ConfigurationError(f"The image {ref.name} has no command of its own")
            stage = replace(stage, environment={**stage.environment, IMAGE_COMMAND: shlex.join(image.command)})
        try:
            return self._run(container, stage, output, cancelled)
        finally:
            with self._lock:
                open_still = container in self._containers
                self._containers = [other for other in self._containers if other is not container]
            if open_still:
                self._end(container)

    def _run(self, container: Container, stage: Stage, output: Output, cancelled: Cancelled) -> StageResult:
        if container.id in self._needs_files:
            self._hand_over_files(container)
            self._needs_files.discard(container.id)
        return container.run(self._build, stage, output, cancelled)

    def _end(self, container: Container) -> None:
        if relay := self._relays.pop(container.id, None):
            relay.close()
        container.kill()
        container.detach()
        self._removal.container(container.id)

    def _start(self, ref: ImageRef, image: Image, output: Output) -> Container:
        """Create and start one container of the job, make the server reachable in it, hand the files to its user."""
        name = f"skerry-{self._build.job_id}-{secrets.token_hex(6)}"
        spec = specification(self._build, image.id, ref, name) | dict(self._limits)
        spec |= network_part(self._settings, self._services.network)
        container = self._create(spec)
        container.start()
        self._connect_to_server(container)
        container.greet(output)
        if self._services.network:
            self._services.await_names(container.id, output)
        if not image.runs_as_root(ref.user) or self._owner != (0, 0):
            self._needs_files.add(container.id)
        return container

    def _require_runtime(self, name: str) -> None:
        """Raises RuntimeUnavailableError unless `name` is the runtime that Podman's service works with.

        The service of Podman 4 takes no other one for a single container, and ignores a wish for one.
        """
        info = self._client.request("GET", "/info")
        own = str(((info.get("host") or {}).get("ociRuntime") or {}).get("name") or "")
        if name != own:
            raise RuntimeUnavailableError(f"The runtime {name!r} is not available: Podman works with {own!r} here")

    def _create(self, spec: dict[str, Any]) -> Container:
        created = self._client.request("POST", "/containers/create", spec)
        container = Container(self._client, self._helper, str(created["Id"]), self._settings.grace)
        with self._lock:
            self._containers.append(container)
            if self._closed:  # by another thread; `PodmanExecutor.prepare` then closes once more
                raise ExecutorError("the environment is closed")
        return container

    def _connect_to_server(self, container: Container) -> None:
        """A relay to the server where it listens on this host's loopback only."""
        wanted = targets(self._build.server_urls)
        if not wanted or not container.network_namespace:
            return
        arguments = {"namespace": container.network_namespace, "places": list(wanted)}
        try:
            reply = self._helper.call("listen", arguments, timeout=HELPER_SECONDS)
        except HelperError as error:
            raise ExecutorError(f"The way to the server cannot be opened: {error}") from error
        opened = [wanted[address, port] for address, port in reply.result]
        self._relays[container.id] = Relay(list(zip(reply.descriptors, opened, strict=True)))

    def _hand_over_files(self, container: Container) -> None:
        arguments = {
            "pid": container.pid, "tree": str(self._build.workspace), "shared": str(self._build.control),
        }  # fmt: skip
        try:
            reply = self._helper.call("adopt", arguments)
        except HelperError as error:
            raise ExecutorError(f"The workspace cannot be given to the image's user: {error}") from error
        self._owner = (reply.result[0], reply.result[1])


def network_part(settings: PodmanSettings, network: str) -> dict[str, Any]:
    """The job's network: of its own, the one it shares with its services, or none."""
    if settings.network == "none":
        return {"netns": {"nsmode": "none"}}
    if network:
        return network_of(network)
    return {}


def check(cancelled: Cancelled) -> None:
    if cancelled.is_set():
        raise ExecutorError("cancelled while the environment was being prepared")
