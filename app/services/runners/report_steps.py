"""What our own runner says of a job's steps (feature `skerry_steps`)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.domain import status
from app.events.base import Notice
from app.models import Job, JobStep, after_commit
from app.services.core import Core

STATUSES = frozenset({status.CREATED, status.RUNNING, status.SUCCESS, status.FAILED, status.SKIPPED, status.CANCELED})
_LARGEST = 1 << 62


def report_steps(core: Core, job: Job, steps: Sequence[Mapping[str, Any]]) -> None:
    """*In a write*, with `job` held: take each report over into the step of its `position`.

    Whatever does not make sense is left out: a report is for display and decides nothing.
    """
    if not steps:
        return
    by_position = {step.position: step for step in job.steps}
    moved = [_take(by_position, said) for said in steps if isinstance(said, Mapping)]
    if any(moved):
        notice = Notice(f"job:{job.id}", {"status": job.status, "steps": True})
        after_commit(core.session, lambda: core.bus.publish(notice))


def _take(by_position: Mapping[int, JobStep], said: Mapping[str, Any]) -> bool:
    """Whether the step's status changed."""
    position = said.get("position")
    step = by_position.get(position) if isinstance(position, int) else None
    if step is None or said.get("status") not in STATUSES:
        return False
    moved = step.status != said["status"]
    step.status = said["status"]
    step.exit_code = _integer(said.get("exit_code"), -(1 << 31), (1 << 31) - 1)
    step.started_at, step.finished_at = _time(said.get("started_at")), _time(said.get("finished_at"))
    step.trace_start = _integer(said.get("trace_start"), 0, _LARGEST)
    step.trace_end = _integer(said.get("trace_end"), 0, _LARGEST)
    return moved


def _integer(value: Any, low: int, high: int) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high else None


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None
