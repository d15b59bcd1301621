"""Whose turn it is among the jobs of a resource group, of which one runs at a time (gitlab.md C.11)."""

from collections.abc import Iterable
from typing import NamedTuple

from app.domain import status

UNORDERED = "unordered"
OLDEST_FIRST = "oldest_first"
NEWEST_FIRST = "newest_first"
NEWEST_READY_FIRST = "newest_ready_first"
PROCESS_MODES = (UNORDERED, OLDEST_FIRST, NEWEST_FIRST, NEWEST_READY_FIRST)

#: In the strict modes a job that is not ready yet keeps its turn; those in UPCOMING will come without anybody's doing.
UPCOMING = frozenset({status.CREATED, status.SCHEDULED, status.WAITING_FOR_RESOURCE})
HOLDING = frozenset({status.PREPARING, status.PENDING, status.WAITING_FOR_CALLBACK, *status.EXECUTING})
"""What a job that holds its group's resource may be."""


class Contender(NamedTuple):
    """A job of the group that has not had its turn."""

    job_id: int
    pipeline_id: int
    status: str


def in_turn(mode: str, jobs: Iterable[Contender]) -> list[Contender]:
    """The jobs that the group's resource may go to by `mode`, the next one first.

    In the strict modes those that are not ready stand in the queue too: while one is at its head, nobody is served.
    """
    waiting = sorted(job for job in jobs if job.status in UPCOMING)
    if mode in (UNORDERED, NEWEST_READY_FIRST):
        waiting = [job for job in waiting if job.status == status.WAITING_FOR_RESOURCE]
    if mode == UNORDERED:
        return waiting
    way = 1 if mode == OLDEST_FIRST else -1
    return sorted(waiting, key=lambda job: (way * job.pipeline_id, job.status != status.WAITING_FOR_RESOURCE))


def next_job(mode: str, jobs: Iterable[Contender]) -> int | None:
    """The id of the job that gets the resource now that it is free; None where nobody does."""
    line = in_turn(mode, jobs)
    return line[0].job_id if line and line[0].status == status.WAITING_FOR_RESOURCE else None
