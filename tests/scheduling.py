"""Which tests run beside which, when pytest has several workers (pytest-xdist).

Tests that use the test user's Podman meet each other's containers and images, and so do those that install Skerry on
the host; those of the pages would each start a browser. Each of these is a group that one worker runs in order. All
other tests are handed out file by file. The groups mostly wait for other programs, so that a worker more than there
are cores is well used; a run takes as long as the longest group, so that what is in none lets the groups go first.
"""

import os
from collections.abc import Sequence

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

#: The groups by the marks of their tests, the longest first, each with the beginnings of its tests' ids.
GROUPS = {
    "podman": ("tests/integration/candor/", "tests/integration/end_to_end/", "tests/integration/podman/"),
    "installation": ("tests/integration/setup/", "tests/integration/test_wheel.py"),
    "browser": ("tests/browser/",),
}


class HostScheduling(LoadScopeScheduling):
    """Hands out each group as one piece of work, the other tests file by file."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid) or nodeid.split("::", 1)[0]


def group_of(nodeid: str) -> str | None:
    """The group that a test belongs to, by its id."""
    return next((name for name, beginnings in GROUPS.items() if nodeid.startswith(beginnings)), None)


def longest_first(items: list[pytest.Item]) -> None:
    """Put the groups before all other tests: they are the longest pieces of work."""
    order = [*GROUPS, None]
    items.sort(key=lambda item: order.index(group_of(item.nodeid)))


def give_way() -> None:
    """Let the processes of the groups go first from here on: half of their share of a processor is enough for us."""
    os.setpriority(os.PRIO_PROCESS, 0, 3)


def misplaced(items: Sequence[pytest.Item]) -> list[str]:
    """The ids of tests that are marked as sharing the host or a browser, but belong to no group."""
    marked = (item for item in items if any(item.get_closest_marker(name) for name in GROUPS))
    return [item.nodeid for item in marked if group_of(item.nodeid) is None]
