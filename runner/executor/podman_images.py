"""Images: is it here, may it be fetched, fetch it."""

import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

from runner.executor.base import Cancelled, ConfigurationError, ExecutorError, ImagePullError, ImageRef, Output
from runner.executor.podman_api import PodmanClient, PodmanError
from runner.executor.podman_private import PrivateImages
from runner.executor.podman_pull import Pull
from runner.executor.podman_settings import PULL_POLICIES, PodmanSettings
from runner.executor.registry_logins import Login, login_for

PORT = re.compile(r"(\d+)(/tcp)?")
LOCAL = "localhost/"
ROOT_USERS = {"", "0", "root"}


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is here. `user` is who its processes run as, as its author wrote it; "" is root. `ports` are the
    TCP ports that it says it opens, `command` its entrypoint with its default arguments, `platform` what it runs on.
    """

    name: str
    id: str
    user: str
    ports: tuple[int, ...] = ()
    command: tuple[str, ...] = ()
    platform: str = ""

    def runs_as_root(self, override: str | None) -> bool:
        return (override or self.user).partition(":")[0] in ROOT_USERS


class Images:
    """Finds and pulls images by the runner's and the job's pull policies."""

    def __init__(self, client: PodmanClient, settings: PodmanSettings) -> None:
        self._client = client
        self._settings = settings
        self._private = PrivateImages(settings.private_images)

    def get(
        self,
        ref: ImageRef,
        allowed: Sequence[str],
        output: Output,
        cancelled: Cancelled,
        logins: Sequence[Login] = (),
    ) -> Image:
        """The image that `ref` names, pulled where the policy says so, with the one of the job's `logins` that is
        for its registry.

        Raises ConfigurationError when the runner does not allow it, ImagePullError with Podman's words when it is not
        to be had.
        """
        if not ref.name or ref.name.startswith("-"):
            raise ConfigurationError(f"{ref.name!r} is no image name")
        if allowed and not any(fnmatchcase(ref.name, pattern) for pattern in allowed):
            raise ConfigurationError(f"This runner does not allow the image {ref.name!r}")
        login = login_for(ref.name, logins)
        failures = []
        for policy in self.policies(ref):
            try:
                return self._by_policy(ref, policy, login, output, cancelled)
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

    def _by_policy(
        self, ref: ImageRef, policy: str, login: Login | None, output: Output, cancelled: Cancelled
    ) -> Image:
        name = ref.name
        here = self.find(name)
        if here is not None and not runs_on(here.platform, ref.platform):
            if policy == "never":
                raise ImagePullError(f"image {name} is here for {here.platform}, not for {ref.platform}")
            here = None
        usable = here is not None and self._private.may_use(here.id, login)
        if here is not None and usable and policy != "always":
            return here
        if policy == "never":
            reason = "is not on this host" if here is None else "is here for those only who have fetched it themselves"
            raise ImagePullError(f"image {name} {reason}, and the pull policy is {policy!r}")
        output(f"Pulling image {name} ...\n".encode())
        before = self._ids() if login else set()
        self._pull(ref, login, cancelled)
        pulled = self.find(name)
        if pulled is None or not runs_on(pulled.platform, ref.platform):
            raise ImagePullError(f"image {name} was pulled but is not there for {ref.platform or 'this host'}")
        # By its id: the same image may have been here under another name, for all.
        self._private.fetched(pulled.id, login, pulled.id in before, self._ids)
        return pulled

    def _ids(self) -> set[str]:
        return {str(image["Id"]) for image in self._client.request("GET", "/images/json") or []}

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
        parts = (str(found.get(key) or "") for key in ("Os", "Architecture", "Variant"))
        platform = "/".join(part for part in parts if part)
        return Image(name, str(found["Id"]), user, tcp_ports(config.get("ExposedPorts")), tuple(command), platform)

    def _pull(self, ref: ImageRef, login: Login | None, cancelled: Cancelled) -> None:
        """Pull in a thread of its own, so that a cancel or the time limit can cut a stalled connection."""
        name = ref.name
        pull = Pull(self._client, name, login, ref.platform)
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


def runs_on(platform: str, wanted: str | None) -> bool:
    """Whether an image for `platform` is one for `wanted`, which may leave the variant open; None takes any."""
    return not wanted or f"{platform}/".lower().startswith(f"{wanted}/".lower())


def tcp_ports(exposed: Mapping[str, Any] | None) -> tuple[int, ...]:
    """The TCP ports of an image's EXPOSE lines ("5432/tcp"), the lowest first."""
    matches = (PORT.fullmatch(port) for port in exposed or {})
    return tuple(sorted(int(match.group(1)) for match in matches if match))
