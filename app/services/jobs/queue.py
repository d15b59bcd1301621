"""The queue: jobs that become pending, the tick that says so, and the runners that are woken for them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm.util import identity_key

from app.domain import status
from app.events.base import Notice, QueuedJob
from app.models import Counter, Job, Project, TagSet, after_commit
from app.services import access
from app.services.core import Core
from app.services.jobs.waiting_reason import Waiting

TICK = "queue"


def current_tick(core: Core) -> int:
    """The number that grows whenever a job becomes pending or a runner changes."""
    return core.session.scalar(select(Counter.value).where(Counter.name == TICK)) or 0


def tick(core: Core) -> None:
    """Count on; call it last in a write, because whoever counts next waits for this row."""
    count_on = update(Counter).where(Counter.name == TICK).values(value=Counter.value + 1).returning(Counter.value)
    if core.session.scalar(count_on) is None:
        core.session.add(Counter(name=TICK, value=1))


def make_pending(core: Core, project: Project, job_ids: Sequence[int]) -> None:
    """*In a write*, with the pipeline held: these jobs of `project` wait for a runner from now on.

    Sets why they wait, ticks, and wakes a fitting runner for each after the commit. Trigger jobs wait for none:
    `start_downstream` sees to them.
    """
    job_ids = _without_bridges(core, job_ids)
    if not job_ids:
        return
    now = core.now()
    queued = queued_jobs(core, project, job_ids)
    waiting = Waiting(core, project)
    ahead = waiting.pending_count()
    update_jobs(
        core,
        [
            {
                "id": job.job_id,
                "status": status.PENDING,
                "queued_at": now,
                "scheduled_at": None,
                "updated_at": now,
                "waiting_reason": waiting.reason(job, features, ahead + place),
            }
            for place, (job, features) in enumerate(queued)
        ],
    )
    tick(core)
    after_commit(core.session, lambda: _announce(core, [job for job, _ in queued]))


def _without_bridges(core: Core, job_ids: Sequence[int]) -> Sequence[int]:
    """Those of the jobs that a runner has to run; the others are pending now."""
    if not job_ids:
        return job_ids
    bridges = set(core.session.scalars(select(Job.id).where(Job.id.in_(job_ids), Job.bridge.is_(True))))
    if not bridges:
        return job_ids
    now = core.now()
    values = {"status": status.PENDING, "queued_at": now, "scheduled_at": None, "updated_at": now}
    reason = {"waiting_reason": "The pipeline that it starts is being made."}
    update_jobs(core, [{"id": job_id} | values | reason for job_id in sorted(bridges)])
    after_commit(core.session, lambda: _publish_pending(core, bridges, now))
    return [job_id for job_id in job_ids if job_id not in bridges]


def update_jobs(core: Core, rows: Sequence[dict[str, Any]]) -> None:
    """*In a write*: set columns of many jobs at once; each row names its `id`. Loaded objects are read again."""
    core.session.flush()
    core.session.execute(update(Job), list(rows))
    for row in rows:
        loaded = core.session.identity_map.get(identity_key(Job, row["id"]))
        if loaded is not None:
            core.session.expire(loaded)


def job_notice(job_id: int, job_status: str, at: datetime) -> Notice:
    """What listeners of a job are told when it moves."""
    return Notice(f"job:{job_id}", {"status": job_status, "at": at.isoformat()})


def announce_job(core: Core, job: Job) -> None:
    """*In a write*: tell the listeners of `job` of its status once it is committed."""
    notice = job_notice(job.id, job.status, core.now())
    after_commit(core.session, lambda: core.bus.publish(notice))


def queued_jobs(core: Core, project: Project, job_ids: Sequence[int]) -> list[tuple[QueuedJob, list[str]]]:
    """Each job in the order of the queue, with the features that it asks of its runner."""
    groups = tuple(access.group_chain(core, project.group))
    rows = core.session.execute(
        select(Job.id, Job.protected, Job.required_features, TagSet.tags)
        .join(TagSet, TagSet.id == Job.tag_set_id)
        .where(Job.id.in_(job_ids))
        .order_by(Job.id)
    ).all()
    return [
        (
            QueuedJob(row.id, project.id, groups, frozenset(row.tags), row.protected, project.instance_runners),
            row.required_features,
        )
        for row in rows
    ]


def _announce(core: Core, jobs: Sequence[QueuedJob]) -> None:
    for job in jobs:
        core.bus.queue(job)
    _publish_pending(core, [job.job_id for job in jobs], core.now())


def _publish_pending(core: Core, job_ids: Iterable[int], at: datetime) -> None:
    for job_id in job_ids:
        core.bus.publish(job_notice(job_id, status.PENDING, at))
