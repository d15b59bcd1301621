"""Hand a waiting job to a runner: each job exactly once."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Row, Select, bindparam, func, null, select, update

from app import crypto
from app.domain import calculated_status, failure, status
from app.domain.errors import Conflict
from app.models import Job, Pipeline, Project, TagSet, after_commit, write
from app.services.core import Core
from app.services.environments.deliver import job_claimed
from app.services.jobs.finish_job import finish
from app.services.jobs.queue import job_notice, make_pending
from app.services.locks import lock_job, try_pipeline
from app.services.pipelines.advance_pipeline import advance, announce_pipeline, set_calculated_status
from app.services.runners import dependencies
from app.services.runners.known_runner import Look, look_up
from app.services.runners.queue_heads import followers, heads, in_scope, running_by_project

JOB_TOKEN_PREFIX = "glcbt-"  # noqa: S105 - how job tokens begin, no token
#: How many jobs one look at the queue considers (gitlab.md A.3).
CANDIDATES = 45
#: With fewer rows of the queue than this, the jobs behind the first ones are looked at too: others may be faster.
ENOUGH = 9
#: How often a claim looks again when others took all that it saw.
LOOKS = 20

_CALCULATED = "calculated_status"

_tag_sets: "WeakKeyDictionary[Any, _TagSets]" = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that runs from now on, and the token that its runner speaks with, which is stored only as a hash."""

    job_id: int
    token: str


def claim_job(
    core: Core, runner_id: int, manager_id: int, features: frozenset[str], known: Look | None = None
) -> Claimed | None:
    """Give the next fitting job to a manager that can do `features`; None where there is none for it.

    `known`: the runner, where it was read just now. Jobs whose dependencies' artifacts are gone fail on the way. Raises
    Conflict when other runners were faster every time (gitlab.md A.3, 409).
    """
    for _ in range(LOOKS):
        look, known = known or look_up(core, runner_id), None
        candidates = _candidates(core, look, features) if look is not None and not look.runner.paused else []
        if not candidates:
            return None
        try:
            claimed = _claim_first(core, candidates, runner_id, manager_id)
        except _CannotRun as refused:
            _drop(core, refused.job_id)
            continue
        if claimed is not None:
            return claimed
    raise Conflict("other runners were faster")


class _CannotRun(Exception):
    """A job that was about to be claimed lacks artifacts that it depends on."""

    def __init__(self, job_id: int) -> None:
        super().__init__(job_id)
        self.job_id = job_id


def fitting_jobs(core: Core, look: Look) -> Select[int, list[str]]:
    """A select of id and required_features of the pending jobs that a runner may take, the next one first.

    An instance runner serves the project with the fewest jobs on instance runners first; others go by age.
    """
    runner = look.runner
    query = select(Job.id, Job.required_features).join(Project, Project.id == Job.project_id)
    query = query.where(Job.status == status.PENDING, Job.tag_set_id.in_(_fitting_sets(core, look)))
    query = query.where(Job.bridge.is_(False), Project.archived.is_(False), in_scope(runner.runner_type))
    query = query.params(runner_id=runner.id, project_id=runner.project_id, group_id=runner.group_id)
    if runner.access_level == "ref_protected":
        query = query.where(Job.protected.is_(True))
    if runner.runner_type != "instance_type":
        return query.order_by(Job.id)
    running = running_by_project()
    return query.outerjoin(running, running.c.project_id == Job.project_id).order_by(
        func.coalesce(running.c.jobs, 0), Job.id
    )


def _candidates(core: Core, look: Look, features: frozenset[str]) -> list[int]:
    """The ids of the next jobs that the manager can run. Those that ask for more are left for another one."""
    first = core.session.connection().execute(*heads(look.runner, _fitting_sets(core, look), CANDIDATES)).all()
    rows: list[tuple[int, list[str]]] = [(row.id, row.required_features) for row in first]
    if first and len(first) < ENOUGH:
        behind = core.session.execute(followers(look.runner, first, CANDIDATES // len(first))).all()
        rows += [(row.id, row.required_features) for row in behind]
    if all(features.issuperset(required) for _, required in rows):
        return [job_id for job_id, _ in rows]
    return _walk(core, look, features)


def _walk(core: Core, look: Look, features: frozenset[str]) -> list[int]:
    """The same, job by job: those in front may be none for this manager."""
    query = fitting_jobs(core, look)
    found: list[int] = []
    for offset in range(0, 20 * CANDIDATES, CANDIDATES):
        rows = core.session.execute(query.limit(CANDIDATES).offset(offset)).all()
        found += [job_id for job_id, required in rows if features.issuperset(required)]
        if found or len(rows) < CANDIDATES:
            break
    return found


@dataclass(slots=True)
class _TagSets:
    """All tag sets of a database, read again when there are more. Rows are only ever added."""

    seen: tuple[int, int] = (0, 0)
    rows: tuple[tuple[int, frozenset[str]], ...] = ()


def _fitting_sets(core: Core, look: Look) -> list[int]:
    """The ids of the tag sets that the runner takes."""
    known, runner = _tag_sets.setdefault(core.session.get_bind(), _TagSets()), look.runner
    if known.seen != look.tag_sets:
        rows = core.session.execute(select(TagSet.id, TagSet.tags)).all()
        known.rows = tuple((row.id, frozenset(row.tags)) for row in rows)
        known.seen = (len(rows), max((row.id for row in rows), default=0))
    mine = frozenset(runner.tags)
    return [tag_set for tag_set, tags in known.rows if tags <= mine and (tags or runner.run_untagged)]


def _claim_first(core: Core, job_ids: list[int], runner_id: int, manager_id: int) -> Claimed | None:
    """Claim the first of these jobs that is still to be had. Raises _CannotRun, and then nothing has happened."""
    token = crypto.new_token(JOB_TOKEN_PREFIX)
    settled = True
    with write(core.session):
        for job_id in job_ids:
            taken = _take(core, job_id, runner_id, manager_id, token)
            if taken is not None:
                break
        else:
            return None
        if dependencies.are_gone(core, job_id, taken.plan):
            raise _CannotRun(job_id)
        settled = _is_shown_to_run(taken) or _start_pipeline(core, taken.pipeline_id)
        if taken.delivers:
            job_claimed(core, job_id)
        notice = job_notice(job_id, status.RUNNING, core.now())
        after_commit(core.session, lambda: core.bus.publish(notice))
    if not settled:
        _start_pipeline_later(core, taken.pipeline_id)
    return Claimed(job_id, token)


def _prepared_take() -> Any:
    """One conditional update, which also tells what is to be known of the job next. Put together once: that takes as
    long as to execute it.
    """
    job: Any = Job.__table__
    pipeline: Any = Pipeline.__table__
    free = select(job.c.id).where(job.c.id == bindparam("job_id"), job.c.status == status.PENDING)
    its = (select(pipeline.c[name]).where(pipeline.c.id == job.c.pipeline_id) for name in ("status", _CALCULATED))
    said = (each.scalar_subquery().label(name) for each, name in zip(its, ("shown", _CALCULATED), strict=True))
    now = bindparam("now", type_=job.c.updated_at.type)
    return (
        update(job)
        .where(job.c.id == free.with_for_update(skip_locked=True).scalar_subquery())
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


def _take(core: Core, job_id: int, runner_id: int, manager_id: int, token: str) -> Row[Any] | None:
    """Claim one job: its pipeline_id, plan and delivers, the status that its pipeline is shown with and the calculated
    one.

    None where the job is not pending any more, or somebody else is about to take it.
    """
    now = core.now()
    values = {
        "job_id": job_id,
        "runner": runner_id,
        "manager": manager_id,
        "token": crypto.token_hash(token),
        "now": now,
        "until": now + timedelta(seconds=core.config.claim_lease),
    }
    return core.session.connection().execute(_TAKE, values).first()


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


def _start_pipeline_later(core: Core, pipeline_id: int) -> None:
    with write(core.session):
        advance(core, core.session.get_one(Pipeline, pipeline_id))


def _drop(core: Core, job_id: int) -> None:
    """End a job that cannot run, unless it moved meanwhile."""
    with write(core.session):
        job = lock_job(core, job_id)
        if job.status == status.PENDING:
            finish(core, job, status.FAILED, failure.MISSING_DEPENDENCY_FAILURE)


def give_back(core: Core, job: Job) -> None:
    """*In a write*, with `job` held by `lock_job`: its runner does not run it; the next one begins from nothing.

    The token of the claim is void at once.
    """
    job.token_hash = job.runner_id = job.runner_manager_id = None
    job.claimed_at = job.started_at = job.heard_at = job.lease_expires_at = None
    job.trace_size = job.trace_crc = job.trace_mismatches = 0
    for step in job.steps:
        step.status = status.CREATED
        step.started_at = step.finished_at = step.exit_code = step.trace_start = step.trace_end = None
    make_pending(core, job.project, [job.id])
    advance(core, job.pipeline)
