"""Keeps the reasons of waiting jobs true while time goes by: runners connect, fall silent, and the queue moves."""

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import select

from app.domain import status
from app.events.base import QueuedJob
from app.models import Job, Project, write
from app.services.core import Core
from app.services.jobs.queue import queued_jobs, update_jobs
from app.services.jobs.waiting_reason import Waiting

#: The jobs at the head of the queue that are looked at; those behind them wait for the same reasons.
LOOKED_AT = 500


def explain_waiting(core: Core) -> None:
    """Write down anew why the next jobs in the queue wait, where that changed."""
    rows = core.session.execute(
        select(Job.id, Job.project_id, Job.waiting_reason)
        .where(Job.status == status.PENDING, Job.bridge.is_(False))
        .order_by(Job.id)
        .limit(LOOKED_AT)
    ).all()
    places = {row.id: place for place, row in enumerate(rows)}
    known = {row.id: row.waiting_reason for row in rows}
    changed = {}
    for waiting, job, features in _with_runners(core, [(row.id, row.project_id) for row in rows]):
        reason = waiting.reason(job, features, places[job.job_id])
        if reason != known[job.job_id]:
            changed[job.job_id] = reason
    if changed:
        with write(core.session):
            still = core.session.scalars(select(Job.id).where(Job.id.in_(changed), Job.status == status.PENDING)).all()
            if still:
                update_jobs(core, [{"id": job_id, "waiting_reason": changed[job_id]} for job_id in still])


def without_runner(core: Core, jobs: list[tuple[int, int]]) -> dict[int, str]:
    """Of jobs given as (id, project id), those that no runner which is online can take: why each ends, by its id."""
    found = {job.job_id: waiting.hopeless(job, features) for waiting, job, features in _with_runners(core, jobs)}
    return {job_id: reason for job_id, reason in found.items() if reason is not None}


def _with_runners(core: Core, jobs: list[tuple[int, int]]) -> Iterator[tuple[Waiting, QueuedJob, list[str]]]:
    """Each job with the runners of its project and the features that it needs."""
    by_project = defaultdict(list)
    for job_id, project_id in jobs:
        by_project[project_id].append(job_id)
    for project_id, job_ids in by_project.items():
        project = core.session.get(Project, project_id)
        if project is not None:
            waiting = Waiting(core, project)
            for job, features in queued_jobs(core, project, job_ids):
                yield waiting, job, features
