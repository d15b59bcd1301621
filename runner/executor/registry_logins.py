"""Logins for image registries: from the job, and from `DOCKER_AUTH_CONFIG` as gitlab-runner's users know it.

Where neither names an image's registry, Podman's own apply (`auth.json` of the runner's user), which are the
administrator's and good for every job. A login is sent to the registry that it names and to no other: so it needs an
image name that begins with the registry's host. What a short name leads to is Podman's settings to say.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DOCKER_HUB = "docker.io"
_HUB_NAMES = frozenset(("docker.io", "index.docker.io", "registry-1.docker.io"))


@dataclass(frozen=True, slots=True)
class Login:
    """`registry` is a host, with its port where it has one, and perhaps the beginning of a path."""

    registry: str
    username: str
    password: str = field(repr=False)

    @property
    def header(self) -> str:
        """The value of `X-Registry-Auth`: never in an address, a command or a log."""
        pair = {"username": self.username, "password": self.password}
        return base64.urlsafe_b64encode(json.dumps(pair).encode()).decode()


def login(registry: str, username: str, password: str) -> Login:
    """A login with the registry as images spell it: `https://index.docker.io/v1/` is `docker.io`."""
    place = registry.removeprefix("https://").removeprefix("http://").rstrip("/")
    place = place.removesuffix("/v1").removesuffix("/v2")
    return Login(DOCKER_HUB if place in _HUB_NAMES else place, username, password)


def login_for(image: str, logins: Iterable[Login]) -> Login | None:
    """The login for `image`: of those that name its registry the one with the longest path, the first of equals."""
    place = image.partition("@")[0]
    host, slash, _ = place.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        return None
    fitting = [one for one in logins if place == one.registry or place.startswith(f"{one.registry}/")]
    return max(fitting, key=lambda one: len(one.registry), default=None)


def parse_auth_config(text: str) -> list[Login]:
    """The logins in the text of a `~/.docker/config.json`. Raises ValueError, whose words hold nothing of it.

    Entries without a login of their own (`credHelpers` and the like) are passed over: a program that a job names is
    not run on this host.
    """
    try:
        document = json.loads(text)
    except ValueError:
        raise ValueError("is not JSON") from None
    auths = document.get("auths") if isinstance(document, Mapping) else None
    if not isinstance(auths, Mapping):
        raise ValueError('has no "auths"')
    return [made for registry, entry in auths.items() if (made := _entry(str(registry), entry)) is not None]


def secrets_in(logins: Sequence[Login]) -> list[str]:
    """What must not show in a log: the passwords, and how they are written in such a file."""
    pairs = [base64.b64encode(f"{one.username}:{one.password}".encode()).decode() for one in logins]
    return [*(one.password for one in logins), *pairs]


def _entry(registry: str, entry: Any) -> Login | None:
    if not isinstance(entry, Mapping):
        return None
    username, password = entry.get("username"), entry.get("password")
    if isinstance(entry.get("auth"), str) and entry["auth"]:
        try:
            decoded = base64.b64decode(entry["auth"], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        username, _, password = decoded.partition(":")
    if not isinstance(username, str) or not isinstance(password, str) or not username:
        return None
    return login(registry, username, password.rstrip("\0"))
