"""The queue as the administrator looks at it: what waits for a runner, why, and with which tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.domain import status
from app.models import Job, TagSet
from app.services.core import Core

LIMIT = 100


@dataclass(frozen=True, slots=True)
class TagLine:
    """So many jobs wait that ask for these tags, the first of them since `since`."""

    tags: Sequence[str]
    waiting: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Queue:
    """`jobs`: those that are next, oldest first. `waiting` counts all, `running` the jobs at work."""

    lines: Sequence[TagLine]
    jobs: Sequence[Job]
    waiting: int
    running: int


def show_queue(core: Core, limit: int = LIMIT) -> Queue:
    """Everything that waits for a runner, as far as `limit` goes for single jobs."""
    waits = (Job.status == status.PENDING, Job.bridge.is_(False))
    grouped = (
        select(TagSet.tags, func.count(Job.id), func.min(Job.queued_at))
        .join(TagSet, TagSet.id == Job.tag_set_id)
        .where(*waits)
        .group_by(TagSet.id, TagSet.tags_key)
        .order_by(func.count(Job.id).desc(), TagSet.tags_key)
    )
    # The tags themselves are JSON, which PostgreSQL cannot group by: they depend on the key that is grouped by.
    lines = [TagLine(*row) for row in core.session.execute(grouped)]
    jobs = select(Job).where(*waits).order_by(Job.queued_at, Job.id).limit(limit)
    found = core.session.scalars(jobs.options(joinedload(Job.project), joinedload(Job.tag_set))).all()
    running = select(func.count()).select_from(Job).where(Job.status.in_(status.EXECUTING))
    return Queue(lines, found, sum(line.waiting for line in lines), core.session.scalar(running) or 0)
