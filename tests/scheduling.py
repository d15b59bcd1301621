"""Which tests run beside which, when pytest has several workers (pytest-xdist).

Tests that use the host's Podman or install Skerry on it meet each other's containers, images and users: they are one
group, which one worker takes first and runs in order. The others are handed out file by file.
"""

from collections.abc import Sequence

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

#: The beginnings of the ids of tests that share the host.
HOST = (
    "tests/integration/candor/",
    "tests/integration/end_to_end/",
    "tests/integration/podman/",
    "tests/integration/setup/",
    "tests/integration/test_wheel.py",
)
#: The marks of such tests.
HOST_MARKS = ("podman", "installation")


class HostScheduling(LoadScopeScheduling):
    """Hands out the tests that share the host as one piece of work, the others file by file."""

    def _split_scope(self, nodeid: str) -> str:
        return "host" if shares_host(nodeid) else nodeid.split("::", 1)[0]


def shares_host(nodeid: str) -> bool:
    """Whether the test is one of those that share the host."""
    return nodeid.startswith(HOST)


def longest_first(items: list[pytest.Item]) -> None:
    """Put the tests that share the host before all others: their group is the longest piece of work."""
    items.sort(key=lambda item: not shares_host(item.nodeid))


def misplaced(items: Sequence[pytest.Item]) -> list[str]:
    """The ids of tests that are marked as sharing the host, but lie where the scheduling does not see it."""
    marked = (item for item in items if any(item.get_closest_marker(name) for name in HOST_MARKS))
    return [item.nodeid for item in marked if not shares_host(item.nodeid)]
