"""Decides what runs next in a pipeline, and what the pipeline's own status is."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.domain import status
from app.domain.processing import JobState, Move, process
from app.events.base import Notice
from app.models import Job, Pipeline, after_commit
from app.services.core import Core
from app.services.locks import lock_pipeline
from app.services.queue import job_notice, make_pending, update_jobs


def advance(core: Core, pipeline: Pipeline) -> None:
    """*In a write*: move every job that is ready, set the pipeline's status and times, wake runners and pages.

    Idempotent: where nothing is due, nothing is written. Call it after every change of a job's status.
    """
    core.session.flush()
    pipeline = lock_pipeline(core, pipeline.id)
    states = job_states(core, pipeline.id)
    moves = process(states.values())
    for move in moves:
        states[move.job_id] = replace(states[move.job_id], status=move.status)
    _apply(core, pipeline, moves, states)
    _settle(core, pipeline, states.values())


def job_states(core: Core, pipeline_id: int) -> dict[int, JobState]:
    """The current jobs of a pipeline (none that were retried) by id, as processing wants them. Light columns only."""
    rows = core.session.execute(
        select(Job.id, Job.name, Job.stage_index, Job.status, Job.when, Job.allow_failure, Job.needs)
        .where(Job.pipeline_id == pipeline_id, Job.retried.is_(False))
        .order_by(Job.id)
    ).all()
    ids = {row.name: row.id for row in rows}
    delays = _delays(core, [row.id for row in rows if row.when == "delayed" and row.status == status.CREATED])
    return {
        row.id: JobState(
            id=row.id,
            name=row.name,
            stage_index=row.stage_index,
            status=row.status,
            when=row.when,
            allow_failure=row.allow_failure,
            needs=None if row.needs is None else tuple(ids[name] for name in needed_names(row.needs) if name in ids),
            start_in=delays.get(row.id),
        )
        for row in rows
    }


def needed_names(needs: list[dict[str, Any]]) -> list[str]:
    """The names of the jobs that `Job.needs` (plan.Need as JSON) waits for."""
    return [need["job"] for need in needs]


def _delays(core: Core, job_ids: list[int]) -> dict[int, int | None]:
    """The `start_in` of delayed jobs, which only their plan holds."""
    if not job_ids:
        return {}
    rows = core.session.execute(select(Job.id, Job.plan).where(Job.id.in_(job_ids)))
    return {row.id: row.plan.get("start_in") for row in rows}


def _apply(core: Core, pipeline: Pipeline, moves: list[Move], states: dict[int, JobState]) -> None:
    now = core.now()
    quiet = [move for move in moves if move.status != status.PENDING]
    if quiet:
        update_jobs(core, [_row(move, states[move.job_id], now) for move in quiet])
        notices = [job_notice(move.job_id, move.status, now) for move in quiet]
        after_commit(core.session, lambda: _publish(core, notices))
    make_pending(core, pipeline.project, [move.job_id for move in moves if move.status == status.PENDING])


def _row(move: Move, state: JobState, now: datetime) -> dict[str, Any]:
    starts = now + timedelta(seconds=state.start_in or 0) if move.status == status.SCHEDULED else None
    return {"id": move.job_id, "status": move.status, "scheduled_at": starts, "updated_at": now}


def _settle(core: Core, pipeline: Pipeline, states: Iterable[JobState]) -> None:
    """Set the pipeline's status and times from its jobs'."""
    new = status.pipeline_status(pipeline.status, [(state.status, state.allow_failure) for state in states])
    if new == pipeline.status:
        return
    now = core.now()
    pipeline.status, pipeline.updated_at = new, now
    if new == status.RUNNING and pipeline.started_at is None:
        pipeline.started_at = now
    pipeline.finished_at = now if new in status.COMPLETED else None
    announce_pipeline(core, pipeline)


def announce_pipeline(core: Core, pipeline: Pipeline) -> None:
    """*In a write*: tell the pipeline's and the project's listeners of its status once it is committed."""
    data = {"pipeline": pipeline.id, "status": pipeline.status}
    notices = [Notice(f"pipeline:{pipeline.id}", data), Notice(f"project:{pipeline.project_id}", data)]
    after_commit(core.session, lambda: _publish(core, notices))


def _publish(core: Core, notices: list[Notice]) -> None:
    for notice in notices:
        core.bus.publish(notice)
