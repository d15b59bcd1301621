"""Whose turn it is among the jobs of a resource group, of which one runs at a time (gitlab.md C.11)."""

from app.domain import status

UNORDERED = "unordered"
OLDEST_FIRST = "oldest_first"
NEWEST_FIRST = "newest_first"
NEWEST_READY_FIRST = "newest_ready_first"
PROCESS_MODES = (UNORDERED, OLDEST_FIRST, NEWEST_FIRST, NEWEST_READY_FIRST)

NEWEST_PIPELINE_FIRST = frozenset({NEWEST_FIRST, NEWEST_READY_FIRST})
"""The modes in which jobs of newer pipelines come first. In unordered ones nobody looks at pipelines."""

_READY = frozenset({status.WAITING_FOR_RESOURCE})
_UPCOMING = _READY | {status.CREATED, status.SCHEDULED}


def in_line(mode: str) -> frozenset[str]:
    """The statuses of jobs that stand in line for the group's resource.

    In the strict modes those that are not ready yet keep their turn: while one is at the head, nobody is served.
    """
    return _UPCOMING if mode in (OLDEST_FIRST, NEWEST_FIRST) else _READY
