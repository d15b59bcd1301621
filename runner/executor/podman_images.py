"""Images: is it here, may it be fetched, fetch it."""

import contextlib
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote, urlencode

from runner.executor.base import Cancelled, ConfigurationError, ExecutorError, ImagePullError, ImageRef, Output
from runner.executor.podman_api import BASE, PodmanClient, PodmanError, UnixConnection, message_of
from runner.executor.podman_settings import PULL_POLICIES, PodmanSettings

PORT = re.compile(r"(\d+)(/tcp)?")
LOCAL = "localhost/"
ROOT_USERS = {"", "0", "root"}


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is here. `user` is who its processes run as, as its author wrote it; "" is root. `ports` are the
    TCP ports that it says it opens, `command` its entrypoint with its default arguments.
    """

    name: str
    id: str
    user: str
    ports: tuple[int, ...] = ()
    command: tuple[str, ...] = ()

    def runs_as_root(self, override: str | None) -> bool:
        return (override or self.user).partition(":")[0] in ROOT_USERS


class Images:
    """Finds and pulls images by the runner's and the job's pull policies."""

    def __init__(self, client: PodmanClient, settings: PodmanSettings) -> None:
        self._client = client
        self._settings = settings

    def get(self, ref: ImageRef, allowed: Sequence[str], output: Output, cancelled: Cancelled) -> Image:
        """The image that `ref` names, pulled where the policy says so.

        Raises ConfigurationError when the runner does not allow it, ImagePullError with Podman's words when it is not
        to be had.
        """
        if not ref.name or ref.name.startswith("-"):
            raise ConfigurationError(f"{ref.name!r} is no image name")
        if allowed and not any(fnmatchcase(ref.name, pattern) for pattern in allowed):
            raise ConfigurationError(f"This runner does not allow the image {ref.name!r}")
        failures = []
        for policy in self.policies(ref):
            try:
                return self._by_policy(ref.name, policy, output, cancelled)
            except ImagePullError as error:
                failures.append(str(error))
                output(f"WARNING: Failed to get image with policy {policy!r}: {error}\n".encode())
        raise ImagePullError(failures[-1])

    def policies(self, ref: ImageRef) -> Sequence[str]:
        """The job's wish where the runner allows it, else the runner's own. A local image is never pulled."""
        if ref.name.startswith(LOCAL):
            return ("never",)
        if not ref.pull_policy:
            return self._settings.pull_policy
        for policy in ref.pull_policy:
            if policy not in PULL_POLICIES:
                raise ConfigurationError(f"pull policy {policy!r} is none of {', '.join(PULL_POLICIES)}")
        allowed = self._settings.allowed_pull_policies or self._settings.pull_policy
        wanted = tuple(policy for policy in ref.pull_policy if policy in allowed)
        if not wanted:
            raise ConfigurationError(
                f"The job's pull policies {list(ref.pull_policy)} are none of those that this runner allows: "
                f"{list(allowed)}"
            )
        return wanted

    def _by_policy(self, name: str, policy: str, output: Output, cancelled: Cancelled) -> Image:
        here = None if policy == "always" else self.find(name)
        if here is not None:
            return here
        if policy == "never":
            raise ImagePullError(f"image {name} is not on this host, and the pull policy is {policy!r}")
        output(f"Pulling image {name} ...\n".encode())
        self._pull(name, cancelled)
        pulled = self.find(name)
        if pulled is None:
            raise ImagePullError(f"image {name} was pulled but is not there")
        return pulled

    def find(self, name: str) -> Image | None:
        """The image called `name`, None where it is not on this host."""
        try:
            found = self._client.request("GET", f"/images/{quote(name, safe='')}/json")
        except PodmanError as error:
            if error.status == 404:
                return None
            raise
        config: dict[str, Any] = found.get("Config") or {}
        user = str(config.get("User") or found.get("User") or "")
        command = [str(word) for word in (*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ()))]
        return Image(name, str(found["Id"]), user, tcp_ports(config.get("ExposedPorts")), tuple(command))

    def _pull(self, name: str, cancelled: Cancelled) -> None:
        """Pull in a thread of its own, so that a cancel or the time limit can cut a stalled connection."""
        pull = Pull(self._client, name)
        thread = threading.Thread(target=pull.run, name=f"pull {name}", daemon=True)
        thread.start()
        deadline = time.monotonic() + self._settings.pull_timeout
        while not pull.done.wait(0.1):
            if cancelled.is_set() or time.monotonic() > deadline:
                pull.abort()
                thread.join(5.0)
                if cancelled.is_set():
                    raise ExecutorError("cancelled while pulling")
                raise ImagePullError(f"pulling {name} took more than {self._settings.pull_timeout:.0f} s")
        if pull.error:
            raise ImagePullError(pull.error)


def tcp_ports(exposed: Mapping[str, Any] | None) -> tuple[int, ...]:
    """The TCP ports of an image's EXPOSE lines ("5432/tcp"), the lowest first."""
    matches = (PORT.fullmatch(port) for port in exposed or {})
    return tuple(sorted(int(match.group(1)) for match in matches if match))


class Pull:
    """One pull. `error` is "" when it went well. Podman stops pulling when the connection goes."""

    def __init__(self, client: PodmanClient, name: str) -> None:
        self.done = threading.Event()
        self.error = ""
        self._name = name
        self._connection = UnixConnection(client.path, timeout=3600)

    def run(self) -> None:
        try:
            self.error = self._read()
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            self.error = f"pulling {self._name} was interrupted: {error}"
        finally:
            self._connection.close()
            self.done.set()

    def abort(self) -> None:
        if self._connection.sock is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                self._connection.sock.shutdown(socket.SHUT_RDWR)

    def _read(self) -> str:
        query = urlencode({"reference": self._name, "policy": "always"})
        self._connection.request("POST", f"{BASE}/images/pull?{query}")
        answer = self._connection.getresponse()
        if answer.status >= 400:
            return message_of(answer.read())
        for line in answer:
            report = json.loads(line) if line.strip() else {}
            if report.get("error"):
                return str(report["error"])
        return ""
