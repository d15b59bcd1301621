"""Decides what runs next in a pipeline, and what the pipeline's own status is."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Row, bindparam, select

from app.domain import calculated_status, status
from app.domain.calculated_status import Part, calculate
from app.domain.errors import NotFound
from app.domain.processing import JobState, Move, process
from app.events.base import Notice
from app.models import Job, Pipeline, after_commit, write
from app.services.afterwards import afterwards
from app.services.core import Core
from app.services.environments.deployments import follow_jobs
from app.services.jobs import resources
from app.services.jobs.queue import announce_job, job_notice, make_pending, update_jobs
from app.services.locks import lock_job, lock_pipeline, try_pipeline
from app.services.pipelines.commit_statuses import external_states
from app.services.pipelines.pipeline_links import note_status

#: So often somebody else may be served while this one looks whose turn it is; the background looks again later.
_ASSIGN_TRIES = 3


def advance(core: Core, pipeline: Pipeline) -> None:
    """*In a write*: move every job that is ready, set the pipeline's status and times, wake runners and pages.

    Idempotent: where nothing is due, nothing is written. Call it after every change of a job's status.
    """
    core.session.flush()
    advance_held(core, lock_pipeline(core, pipeline.id))


def advance_held(core: Core, pipeline: Pipeline) -> None:
    """*In a write*: `advance`, with `pipeline` held and read since."""
    core.session.flush()
    rows = core.session.execute(_jobs, {"pipeline_id": pipeline.id}).all()
    states = _states(core, rows)
    moves = process(states.values()) if any(row.status == status.CREATED for row in rows) else []
    for move in moves:
        states[move.job_id] = replace(states[move.job_id], status=move.status)
    _apply(core, pipeline, moves, states)
    _settle(core, pipeline, [*states.values(), *external_states(core, pipeline.id)])
    if any(row.delivers for row in rows):
        follow_jobs(core, pipeline.id)


#: The current jobs of a pipeline. Light columns only: of a large one all are looked at whenever one ends.
_jobs = (
    select(
        Job.id,
        Job.name,
        Job.stage_index,
        Job.status,
        Job.when,
        Job.allow_failure,
        Job.needs,
        Job.failure_reason,
        Job.heard_at.is_not(None).label("heard"),
        Job.enqueue_immediately,
        Job.resource_group_id,
        Job.delivers,
    )
    .where(Job.pipeline_id == bindparam("pipeline_id"), Job.retried.is_(False))
    .order_by(Job.id)
)


def job_states(core: Core, pipeline_id: int) -> dict[int, JobState]:
    """The current jobs of a pipeline (none that were retried) by id, as processing wants them."""
    return _states(core, core.session.execute(_jobs, {"pipeline_id": pipeline_id}).all())


def _states(core: Core, rows: Sequence[Row[Any]]) -> dict[int, JobState]:
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
            failure_reason=row.failure_reason,
            heard=row.heard,
            enqueue_immediately=row.enqueue_immediately,
            resource_group=row.resource_group_id,
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
    ready = [move.job_id for move in moves if move.status == status.PENDING]
    if ready:
        make_pending(core, pipeline.project, ready)
    # Whoever waits has its turn now, or the one that had it gives it up.
    turns = {states[move.job_id].resource_group for move in moves if move.status != status.SCHEDULED}
    assign_later(core, turns)


def enqueue(core: Core, job: Job) -> None:
    """*In a write*, with `job` held: it is asked to run, and waits for its group's resource or for a runner."""
    if job.resource_group_id is None:
        make_pending(core, job.project, [job.id])
        return
    job.status, job.scheduled_at, job.updated_at = status.WAITING_FOR_RESOURCE, None, core.now()
    announce_job(core, job)
    assign_later(core, [job.resource_group_id])


def assign_later(core: Core, groups: Iterable[int | None]) -> None:
    """*In a write*: after the commit, see to it that the resources of these groups are held by whose turn it is.

    Only then, because the job whose turn it is may be another pipeline's, which must not be held beside this one.
    """
    for group_id in sorted({group for group in groups if group is not None}):
        afterwards(core, partial(assign_resource, core, group_id))


def assign_resource(core: Core, group_id: int) -> None:
    """Hand the group's resource, where it is free, to the job whose turn it is: a runner may take that job."""
    for _ in range(_ASSIGN_TRIES):
        job_id = resources.next_in_turn(core, group_id)
        if job_id is None:
            return
        try:
            with write(core.session):
                job = lock_job(core, job_id)
                # What was read before may have changed: then look again.
                if resources.next_in_turn(core, group_id) == job_id and resources.take(core, group_id, job_id):
                    make_pending(core, job.project, [job_id])
                    advance(core, job.pipeline)
                    return
        except NotFound:
            continue


def _row(move: Move, state: JobState, now: datetime) -> dict[str, Any]:
    starts = now + timedelta(seconds=state.start_in or 0) if move.status == status.SCHEDULED else None
    return {"id": move.job_id, "status": move.status, "scheduled_at": starts, "updated_at": now}


def _settle(core: Core, pipeline: Pipeline, states: Collection[JobState]) -> None:
    """Set the pipeline's status, calculated status and times from its jobs'."""
    now, before = core.now(), (pipeline.status, pipeline.calculated_status)
    set_calculated_status(
        pipeline,
        calculate(Part(state.status, state.allow_failure, state.failure_reason, state.heard) for state in states),
        now,
    )
    new = status.pipeline_status(pipeline.status, [(state.status, state.allow_failure) for state in states])
    if new != pipeline.status:
        pipeline.status, pipeline.updated_at = new, now
        if new == status.RUNNING and pipeline.started_at is None:
            pipeline.started_at = now
        pipeline.finished_at = now if new in status.COMPLETED else None
    if before != (pipeline.status, pipeline.calculated_status):
        announce_pipeline(core, pipeline)


def set_calculated_status(pipeline: Pipeline, new: str, now: datetime) -> None:
    """*In a write*, with `pipeline` held: `new` is how the run as a whole stands (`domain.calculated_status`)."""
    if new != pipeline.calculated_status:
        pipeline.calculated_status, pipeline.calculated_status_at = new, now


def show_start(core: Core, pipeline_id: int) -> bool:
    """*In a write*: a runner was heard of for the first time since it took a job; show that the run is under way.

    False where somebody else holds the pipeline: waiting for it while a job is held could deadlock (`locks`), so the
    caller has it advanced after the commit.
    """
    early = (calculated_status.NEW, calculated_status.STARTING)
    if core.session.scalar(select(Pipeline.calculated_status).where(Pipeline.id == pipeline_id)) not in early:
        return True
    pipeline = try_pipeline(core, pipeline_id)
    if pipeline is None:
        return False
    if pipeline.calculated_status in early:
        set_calculated_status(pipeline, calculated_status.RUNNING, core.now())
        announce_pipeline(core, pipeline)
    return True


def announce_pipeline(core: Core, pipeline: Pipeline) -> None:
    """*In a write*: tell the pipeline's and the project's listeners, and the job that started it, of its status once it
    is committed.
    """
    core.session.flush()
    note_status(core, pipeline)
    data = {"pipeline": pipeline.id, "status": pipeline.status}
    notices = [Notice(f"pipeline:{pipeline.id}", data), Notice(f"project:{pipeline.project_id}", data)]
    after_commit(core.session, lambda: _publish(core, notices))


def _publish(core: Core, notices: list[Notice]) -> None:
    for notice in notices:
        core.bus.publish(notice)
