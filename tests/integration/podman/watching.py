"""What is seen of the containers from outside."""

import time
from collections.abc import Callable

from tests.integration.podman.conftest import RUNNER
from tests.integration.podman.images import podman


def containers(**labels: str) -> list[str]:
    """The containers of these tests that carry these labels."""
    labels = {"runner": RUNNER} | labels
    filters = [word for key, value in labels.items() for word in ("--filter", f"label=skerry.{key}={value}")]
    return podman("ps", "--all", "--quiet", *filters).split()


def until(true: Callable[[], object], seconds: float = 5.0) -> bool:
    """Whether `true` comes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return bool(true())
