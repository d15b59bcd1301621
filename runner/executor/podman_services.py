"""Services: containers beside a job, found by name on a network of their own.

Names need a bridge with Podman's own DNS, which costs a quarter of a second, so only jobs with services get one.
Each such network is the job's alone and goes with it.
"""

import logging
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from runner.executor.base import Build, Cancelled, ExecutorError, Output, ServiceRef
from runner.executor.podman_api import PodmanClient, PodmanError
from runner.executor.podman_images import Image, Images
from runner.executor.podman_removal import Removal
from runner.executor.podman_service_logs import ServiceLog
from runner.executor.podman_settings import PodmanSettings
from runner.executor.podman_specification import base_specification
from runner.workspace.userns import Helper, HelperError

LAST_WORDS_SECONDS = 1.0
NAMES_SECONDS = 3.0
TRUE = frozenset(("1", "t", "true", "yes", "on"))
HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")

logger = logging.getLogger(__name__)


class Services:
    """The services of one job. `network` is "" until `start` has made one."""

    def __init__(self, client: PodmanClient, images: Images, helper: Helper, settings: PodmanSettings) -> None:
        self.network = ""
        self.containers: list[str] = []
        self._logs: list[ServiceLog] = []
        self._names: list[str] = []
        self._client = client
        self._images = images
        self._helper = helper
        self._settings = settings

    def start(self, build: Build, limits: Mapping[str, Any], output: Output, cancelled: Cancelled) -> None:
        """Start all services and wait until each has a port open that its image names. Raises ExecutorError.

        A service that opens none in time is a warning, with what it printed: the job may know better. With
        CI_DEBUG_SERVICES all that services print goes to `output`, until `silence`.
        """
        images = [
            self._images.get(ref.image, self._settings.allowed_services, output, cancelled, build.logins)
            for ref in build.services
        ]
        self._make_network(build)
        live = output if build.environment.get("CI_DEBUG_SERVICES", "").strip().lower() in TRUE else None
        waiting: list[tuple[str, str, Sequence[int], ServiceLog]] = []
        for ref, image in zip(build.services, images, strict=True):
            output(f"Starting service {ref.image.name} ...\n".encode("utf-8", "replace"))
            container, log = self._start(build, ref, image, limits, live)
            waiting.append((ref.image.name, container, ports_of(ref, image), log))
        deadline, lost = time.monotonic() + self._settings.service_timeout, set[str]()
        for name, container, ports, log in waiting:
            if ports and not cancelled.is_set():
                problem = self._wait(container, ports, deadline)
                if problem:
                    lost.add(container)
                    output(warning(name, problem, log).encode("utf-8", "replace"))
        self._names = [
            name
            for ref, (_, container, _, _) in zip(build.services, waiting, strict=True)
            if container not in lost
            for name in host_names(ref)
        ]

    def await_names(self, container: str, output: Output) -> None:
        """Wait until `container`, which runs on the services' network, can find by name those that started properly.

        The network's name server reads its names anew for each container that joins, and knows none for a moment.
        """
        try:
            network = self._client.request("GET", f"/containers/{container}/json")["NetworkSettings"]
            arguments = {
                "namespace": network["SandboxKey"],
                "resolver": network["Networks"][self.network]["Gateway"],
                "names": self._names,
                "timeout": NAMES_SECONDS,
            }
            missing = self._helper.call("wait_for_names", arguments).result
        except (PodmanError, HelperError, KeyError) as error:
            missing = [str(error)]
        if missing:
            words = f"WARNING: services cannot be found by name yet: {', '.join(missing)}\n"
            output(words.encode("utf-8", "replace"))

    def silence(self) -> None:
        """Nothing that a service prints goes to the job's log any more."""
        for log in self._logs:
            log.close()

    def remove(self, removal: Removal) -> None:
        """Have the containers and the network removed in the background."""
        self.silence()
        containers, self.containers = self.containers, []
        for container in containers:
            removal.container(container)
        network, self.network = self.network, ""
        if network:
            removal.network(network)

    def _make_network(self, build: Build) -> None:
        """By Podman's SDK, which only jobs with services have to load."""
        from podman import PodmanClient as Sdk
        from podman.errors import APIError

        name = f"skerry-{build.job_id}-{secrets.token_hex(6)}"
        try:
            with Sdk(base_url=f"unix://{self._client.path}") as sdk:
                sdk.networks.create(name, driver="bridge", dns_enabled=True, labels=dict(build.labels))
        except (APIError, OSError) as error:
            raise ExecutorError(f"The network for services cannot be made: {error}") from error
        self.network = name

    def _start(
        self, build: Build, ref: ServiceRef, image: Image, limits: Mapping[str, Any], live: Output | None
    ) -> tuple[str, ServiceLog]:
        name = f"skerry-{build.job_id}-service-{secrets.token_hex(6)}"
        names = host_names(ref)
        spec = base_specification(image.id, name, build.labels, ref.environment) | dict(limits)
        spec |= network_of(self.network, names)
        if ref.image.entrypoint is not None:
            spec["entrypoint"] = list(ref.image.entrypoint) or [""]
        if ref.command is not None:
            spec["command"] = list(ref.command)
        if ref.image.user:
            spec["user"] = ref.image.user
        try:
            container = str(self._client.request("POST", "/containers/create", spec)["Id"])
            self.containers.append(container)
            # Attached before the start, so that the first words are there too.
            log = ServiceLog(names[-1] if names else ref.image.name, self._client.attach(container), live)
            self._logs.append(log)
            self._client.request("POST", f"/containers/{container}/start")
        except PodmanError as error:
            raise ExecutorError(f"The service {ref.image.name} cannot be started: {error}") from error
        return container, log

    def _wait(self, container: str, ports: Sequence[int], deadline: float) -> str:
        """Until one of `ports` answers, seen from inside the service's own network; "" or what is wrong."""
        wanted = ", ".join(str(port) for port in ports)
        seconds = max(0.1, deadline - time.monotonic())
        try:
            state = self._client.request("GET", f"/containers/{container}/json")
            arguments = {
                "namespace": state["NetworkSettings"]["SandboxKey"],
                "ports": list(ports),
                "pid": state["State"]["Pid"],
                "timeout": seconds,
            }
            if state["State"]["Pid"] and self._helper.call("wait_for_port", arguments).result:
                return ""
            state = self._client.request("GET", f"/containers/{container}/json")["State"]
        except (PodmanError, HelperError) as error:
            return str(error)
        if state.get("Running"):
            return f"no port answered within {seconds:.0f} seconds (tried {wanted})"
        return f"the service ended with exit code {state.get('ExitCode')}"


def ports_of(ref: ServiceRef, image: Image) -> Sequence[int]:
    """The ports to wait for: the one that the variable HEALTHCHECK_TCP_PORT names, else those that the image opens."""
    wish = ref.environment.get("HEALTHCHECK_TCP_PORT", "").strip()
    return (int(wish),) if wish.isascii() and wish.isdigit() and 0 < int(wish) < 65536 else image.ports


def warning(name: str, problem: str, log: ServiceLog) -> str:
    """What the job's log says of a service that does not answer."""
    log.settle(LAST_WORDS_SECONDS)
    printed = log.tail() or "(it printed nothing)"
    return (
        f"\n*** WARNING: Service {name} probably didn't start properly.\n\nHealth check error:\n{problem}\n\n"
        f"Service container logs:\n{printed}\n\n*********\n\n"
    )


def network_of(network: str, aliases: Sequence[str] = ()) -> dict[str, Any]:
    """The part of a container's specification that puts it on `network` under the names `aliases`."""
    return {"netns": {"nsmode": "bridge"}, "networks": {network: {"aliases": list(aliases)}}}


def host_names(ref: ServiceRef) -> list[str]:
    """The names by which the job finds a service: its image's (`a/b:1` is `a__b` and `a-b`), then its aliases."""
    path = ref.image.name.partition("@")[0]
    folder, _, last = path.rpartition("/")
    path = f"{folder}/{last.partition(':')[0]}" if folder else last.partition(":")[0]
    path = path.replace(":", "")
    names = [path.replace("/", "__"), path.replace("/", "-"), *ref.aliases]
    return list(dict.fromkeys(name for name in names if HOST_NAME.fullmatch(name)))
