"""One job begins to run for one manager: a conditional update, and what it brings with it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, bindparam, exists, null, select, update

from app import crypto
from app.domain import calculated_status, status
from app.models import Job, Pipeline, Runner, after_commit
from app.services.core import Core
from app.services.environments.deliver import job_claimed
from app.services.jobs.queue import job_notice
from app.services.locks import try_pipeline
from app.services.pipelines.advance_pipeline import announce_pipeline, set_calculated_status
from app.services.runners import dependencies

_CALCULATED = "calculated_status"


@dataclass(frozen=True, slots=True)
class Taker:
    """A manager of a runner that asked with the token of that hash."""

    runner_id: int
    manager_id: int
    token_hash: str


class CannotRun(Exception):
    """A job that was about to be claimed lacks artifacts that it depends on."""

    def __init__(self, job_id: int) -> None:
        super().__init__(job_id)
        self.job_id = job_id


@dataclass(frozen=True, slots=True)
class Begun:
    """A job runs, of this pipeline. Not `settled`: the pipeline's status is to be seen to later."""

    pipeline_id: int
    settled: bool


def begin(core: Core, job_id: int, taker: Taker, token: str) -> Begun | None:
    """*In a write*: claim one job, which runs from now on with `token`. Raises CannotRun.

    None where the job is not pending any more, or somebody else is about to take it, or the runner may not: `may_take`.
    """
    taken = _take(core, job_id, taker, token)
    if taken is None:
        return None
    if dependencies.are_gone(core, job_id, taken.plan):
        raise CannotRun(job_id)
    settled = _is_shown_to_run(taken) or _start_pipeline(core, taken.pipeline_id)
    if taken.delivers:
        job_claimed(core, job_id)
        core.session.flush()  # what fails is this job's, not of all that are claimed together with it
    notice = job_notice(job_id, status.RUNNING, core.now())
    after_commit(core.session, lambda: core.bus.publish(notice))
    return Begun(taken.pipeline_id, settled)


def may_take(core: Core, taker: Taker) -> bool:
    """Whether the runner is still there, not paused, and has the token that it asked with. It may have changed while
    its claim waited for its turn to write.
    """
    values = {"runner": taker.runner_id, "runner_token": taker.token_hash}
    return core.session.connection().execute(_MAY_TAKE, values).first() is not None


def _take(core: Core, job_id: int, taker: Taker, token: str) -> Row[Any] | None:
    """The conditional update: the job's pipeline_id, plan and delivers, the status that its pipeline is shown with and
    the calculated one.
    """
    now = core.now()
    values = {
        "job_id": job_id,
        "runner": taker.runner_id,
        "manager": taker.manager_id,
        "runner_token": taker.token_hash,
        "token": crypto.token_hash(token),
        "now": now,
        "until": now + timedelta(seconds=core.config.claim_lease),
    }
    return core.session.connection().execute(_TAKE, values).first()


def _able() -> Any:
    runner: Any = Runner.__table__
    return select(runner.c.id).where(
        runner.c.id == bindparam("runner"),
        runner.c.paused.is_(False),
        runner.c.token_hash == bindparam("runner_token"),
    )


def _prepared_take() -> Any:
    """One conditional update, which also tells what is to be known of the job next. Put together once: that takes as
    long as to execute it.
    """
    job: Any = Job.__table__
    pipeline: Any = Pipeline.__table__
    free = select(job.c.id).where(job.c.id == bindparam("job_id"), job.c.status == status.PENDING, exists(_able()))
    its = (select(pipeline.c[name]).where(pipeline.c.id == job.c.pipeline_id) for name in ("status", _CALCULATED))
    said = (each.scalar_subquery().label(name) for each, name in zip(its, ("shown", _CALCULATED), strict=True))
    now = bindparam("now", type_=job.c.updated_at.type)
    return (
        update(job)
        .where(job.c.id == free.with_for_update(skip_locked=True, of=job).scalar_subquery())
        .values(
            status=status.RUNNING,
            runner_id=bindparam("runner"),
            runner_manager_id=bindparam("manager"),
            token_hash=bindparam("token"),
            claimed_at=now,
            started_at=now,
            heard_at=null(),
            lease_expires_at=bindparam("until", type_=job.c.updated_at.type),
            waiting_reason=null(),
            updated_at=now,
        )
        .returning(job.c.pipeline_id, job.c.plan, job.c.delivers, *said)
    )


_TAKE = _prepared_take()
_MAY_TAKE = _able()


def _is_shown_to_run(taken: Row[Any]) -> bool:
    return bool(taken.shown == status.RUNNING and taken.calculated_status != calculated_status.NEW)


def _start_pipeline(core: Core, pipeline_id: int) -> bool:
    """Show that the pipeline runs. False where somebody else holds its row: to wait here could deadlock (`locks`)."""
    pipeline = try_pipeline(core, pipeline_id)
    if pipeline is None:
        return False
    now = core.now()
    if pipeline.status != status.RUNNING:
        pipeline.status, pipeline.updated_at, pipeline.finished_at = status.RUNNING, now, None
        pipeline.started_at = pipeline.started_at or now
    if pipeline.calculated_status == calculated_status.NEW:
        set_calculated_status(pipeline, calculated_status.STARTING, now)
    announce_pipeline(core, pipeline)
    return True
