"""Which created job becomes ready, manual, scheduled or skipped, and which skipped ones start anew (gitlab.md C.3).

A job without `needs` waits for all jobs of all earlier stages, one with `needs` for those jobs alone. Both are edges of
one graph, in which each stage has a gate: the gate waits for the jobs of the stages before it, its stage's jobs for the
gate. One walk through that graph in topological order reaches the fixpoint, in time linear in jobs and edges.
"""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from app.domain import status


@dataclass(frozen=True, slots=True)
class JobState:
    """What processing has to know of a job. `needs`: ids of the jobs it needs, all of them given too; None: by stage.

    `start_in` is in seconds; a delayed job without it does not wait. `failure_reason` and `heard` (its runner was heard
    of since it took the job) count only for the run as a whole. `enqueue_immediately`: a manual or delayed job that
    somebody asked for already. `resource_group`: the group whose resource the job has to hold before it runs.
    """

    id: int
    name: str
    stage_index: int
    status: str
    when: str = "on_success"
    allow_failure: bool = False
    needs: tuple[int, ...] | None = None
    start_in: int | None = None
    failure_reason: str | None = None
    heard: bool = False
    enqueue_immediately: bool = False
    resource_group: int | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Job `job_id` is created and becomes `status`."""

    job_id: int
    status: str


_DECIDED = (status.SUCCESS, status.FAILED, status.CANCELED, status.SKIPPED)
_AFTER_STAGES: dict[str, frozenset[str]] = {
    "on_success": frozenset({status.SUCCESS, status.SKIPPED}),
    "manual": frozenset({status.SUCCESS, status.SKIPPED}),
    "delayed": frozenset({status.SUCCESS, status.SKIPPED}),
    "on_failure": frozenset({status.FAILED}),
    "always": frozenset({status.SUCCESS, status.FAILED, status.SKIPPED}),
}
_AFTER_NEEDS = _AFTER_STAGES | dict.fromkeys(("on_success", "manual", "delayed"), frozenset({status.SUCCESS}))


def next_status(job: JobState, previous: str | None) -> str | None:
    """What a created `job` becomes when what it waits for has the composite status `previous`; None: it still waits."""
    previous = previous or status.SUCCESS
    if previous not in _DECIDED:
        return None
    valid = _AFTER_STAGES if job.needs is None else _AFTER_NEEDS
    if previous not in valid[job.when]:
        return status.SKIPPED
    if job.when == "manual" and not job.enqueue_immediately:
        return status.MANUAL
    if job.when == "delayed" and job.start_in is not None and not job.enqueue_immediately:
        return status.SCHEDULED
    return status.PENDING if job.resource_group is None else status.WAITING_FOR_RESOURCE


def process(jobs: Iterable[JobState]) -> list[Move]:
    """All moves that are due now, with the skips that follow from skips; sorted by stage, then id.

    The order of `jobs` is irrelevant.
    Raises ValueError when a job needs one that is not among `jobs`, or when jobs wait for each other in a circle: no
    compiled plan has either.
    """
    known = {job.id: job for job in jobs}
    stages = _by_stage(known.values())
    now = {job.id: job.status for job in known.values()}
    seen: dict[int, set[str]] = {}
    for node in _in_order(known, stages):
        if isinstance(node, _Gate):
            earlier = stages.get(node.after, [])
            seen[node.stage] = seen.get(node.after, set()) | {_seen(job, now) for job in earlier}
        elif now[node] == status.CREATED:
            job = known[node]
            now[node] = next_status(job, _previous(job, known, now, seen)) or status.CREATED
    changed = [job for job in known.values() if now[job.id] != job.status]
    return [Move(job.id, now[job.id]) for job in sorted(changed, key=lambda job: (job.stage_index, job.id))]


def dependents_to_reset(job_id: int, jobs: Iterable[JobState]) -> list[int]:
    """The skipped jobs that go back to created when `job_id` is played or retried: all that wait for it, however far.

    Sorted by stage, then id. `jobs` are the pipeline's current ones; raises KeyError when `job_id` is not among them.
    """
    known = {job.id: job for job in jobs}
    played = known[job_id]
    needed_by: dict[int, list[int]] = defaultdict(list)
    for job in known.values():
        for need in job.needs or ():
            needed_by[need].append(job.id)
    # Whatever waits for the played job stands in its stage or later, so one look at the later stages finds all that
    # wait by stage; from there on only needs lead further.
    later = (job.id for job in known.values() if job.needs is None and job.stage_index > played.stage_index)
    front = deque([job_id, *later])
    reached = set(front)
    while front:
        fresh = [dependent for dependent in needed_by[front.popleft()] if dependent not in reached]
        reached.update(fresh)
        front.extend(fresh)
    skipped = [known[found] for found in reached - {job_id} if known[found].status == status.SKIPPED]
    return [job.id for job in sorted(skipped, key=lambda job: (job.stage_index, job.id))]


class _Gate(NamedTuple):
    """The node that stands before the stage-scheduled jobs of `stage`; `after` is the stage before it (-1: none)."""

    stage: int
    after: int


def _by_stage(jobs: Iterable[JobState]) -> dict[int, list[JobState]]:
    stages: dict[int, list[JobState]] = defaultdict(list)
    for job in jobs:
        stages[job.stage_index].append(job)
    return dict(stages)


def _in_order(known: dict[int, JobState], stages: dict[int, list[JobState]]) -> Iterable[int | _Gate]:
    """Every job and gate after all that it waits for."""
    sorter: TopologicalSorter[int | _Gate] = TopologicalSorter()
    before = _NO_GATE
    for stage in sorted(stages):
        gate = _Gate(stage, before.stage)
        sorter.add(gate, before, *(job.id for job in stages.get(before.stage, ())))
        for job in stages[stage]:
            sorter.add(job.id, *((gate,) if job.needs is None else job.needs))
            if missing := [need for need in job.needs or () if need not in known]:
                raise ValueError(f"job {job.id} needs job {missing[0]}, which is not in the pipeline")
        before = gate
    try:
        return tuple(sorter.static_order())
    except CycleError as circle:
        raise ValueError(f"jobs wait for each other: {circle.args[1]}") from None


_NO_GATE = _Gate(-1, -1)


def _seen(job: JobState, now: dict[int, str]) -> str:
    return status.seen_as(now[job.id], job.allow_failure)


def _previous(job: JobState, known: dict[int, JobState], now: dict[int, str], seen: dict[int, set[str]]) -> str | None:
    """The composite of what `job` waits for; None when that is nothing."""
    if job.needs is None:
        return status.composite_of_seen(seen[job.stage_index])
    return status.composite_of_seen({_seen(known[need], now) for need in job.needs}, dag=True)
