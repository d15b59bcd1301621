"""How much room projects take: counted from the database now and then, because counting reads every job."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import joinedload

from app.models import Artifact, Job, Project, ProjectUsage, write
from app.services.core import Core

LIMIT = 100


@dataclass(frozen=True, slots=True)
class Usage:
    """The projects that take most room, most first, and the sums of all."""

    rows: Sequence[ProjectUsage]
    projects: int
    artifact_bytes: int
    trace_bytes: int


def measure_usage(core: Core) -> int:
    """Count the bytes of every project anew; return how many projects there are. For the background's loop."""
    kept: dict[int, dict[str, Any]] = {
        project_id: {"artifact_bytes": 0, "artifact_count": 0, "trace_bytes": 0, "job_count": 0}
        for project_id in core.session.scalars(select(Project.id))
    }
    _count(core, kept, Artifact.project_id, Artifact.size, ("artifact_bytes", "artifact_count"))
    _count(core, kept, Job.project_id, Job.trace_size, ("trace_bytes", "job_count"))
    now = core.now()
    with write(core.session):
        there = set(core.session.scalars(select(Project.id)))
        core.session.execute(delete(ProjectUsage))
        rows = [
            {"project_id": key, "measured_at": now, "total_bytes": row["artifact_bytes"] + row["trace_bytes"]} | row
            for key, row in kept.items()
            if key in there
        ]
        if rows:
            core.session.execute(insert(ProjectUsage), rows)
    return len(rows)


def _count(core: Core, kept: dict[int, dict[str, Any]], key: Any, size: Any, names: tuple[str, str]) -> None:
    for project_id, total, count in core.session.execute(select(key, func.sum(size), func.count()).group_by(key)):
        if project_id in kept:
            kept[project_id] |= {names[0]: int(total or 0), names[1]: count}


def show_usage(core: Core, limit: int = LIMIT) -> Usage:
    """What was counted last."""
    query = select(ProjectUsage).order_by(ProjectUsage.total_bytes.desc(), ProjectUsage.project_id).limit(limit)
    rows = core.session.scalars(query.options(joinedload(ProjectUsage.project))).all()
    sums = select(func.count(), func.sum(ProjectUsage.artifact_bytes), func.sum(ProjectUsage.trace_bytes))
    count, artifacts, traces = core.session.execute(sums).one()
    return Usage(rows, count, int(artifacts or 0), int(traces or 0))
