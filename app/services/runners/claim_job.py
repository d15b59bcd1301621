"""Hand a waiting job to a runner: each job exactly once."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Row, bindparam, null, select, update

from app import crypto
from app.domain import calculated_status, failure, status
from app.domain.errors import Conflict
from app.models import Job, Pipeline, after_commit, write
from app.services.core import Core
from app.services.environments.deliver import job_claimed
from app.services.jobs.finish_job import finish
from app.services.jobs.queue import job_notice, make_pending
from app.services.locks import lock_job, try_pipeline
from app.services.pipelines.advance_pipeline import advance, announce_pipeline, set_calculated_status
from app.services.runners import dependencies
from app.services.runners.job_offers import Offer, fitting_sets, offers
from app.services.runners.known_runner import Look, look_up
from app.services.runners.turns import Turn, Turns

log = structlog.get_logger(__name__)

JOB_TOKEN_PREFIX = "glcbt-"  # noqa: S105 - how job tokens begin, no token
#: How often a claim looks again when others took all that it saw.
LOOKS = 20

_CALCULATED = "calculated_status"
#: How many claims go into one transaction. More would make the first of them wait for the last.
TOGETHER = 16

_turns: "WeakKeyDictionary[Any, Turns[_Ask]]" = WeakKeyDictionary()


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
    core.session.rollback()  # whoever waits for its turn keeps no connection
    ask = _Ask(runner_id, manager_id, features, known)
    turns = _turns.setdefault(core.session.get_bind(), Turns(TOGETHER))
    turns.serve(ask, lambda together: _serve_all(core, together))
    if not ask.answered:  # what failed was perhaps the fault of another one
        _serve_all(core, [ask])
    if not ask.answered:
        raise Conflict("other runners were faster")
    return ask.answer


class _Ask(Turn):
    """One manager that asks for a job. `answered`, it has one or there is none for it."""

    def __init__(self, runner_id: int, manager_id: int, features: frozenset[str], known: Look | None) -> None:
        super().__init__()
        self.runner_id, self.manager_id, self.features = runner_id, manager_id, features
        self.known = known
        self.answer: Claimed | None = None
        self.answered = False


def _serve_all(core: Core, asks: Sequence[_Ask]) -> None:
    """`_serve`. Where that fails, who has an answer keeps it, and the others have to ask again, each by itself: only to
    one that was alone is its failure raised.
    """
    try:
        _serve(core, asks)
    except Exception:
        core.session.rollback()
        if len(asks) == 1 and not asks[0].answered:
            raise
        log.exception("claims failed", together=len(asks), answered=sum(ask.answered for ask in asks))


def _serve(core: Core, asks: Sequence[_Ask]) -> None:
    """Claim a job for each, all in one transaction: that costs little more than for one of them."""
    left = list(asks)
    for _ in range(LOOKS):
        offered = _offered(core, left)
        for ask in left:
            ask.answered = not offered[ask]
        left = [ask for ask in left if offered[ask]]
        if not left:
            return
        try:
            claimed, unsettled = _claim_each(core, {ask: offered[ask] for ask in left})
        except _CannotRun as refused:
            _drop(core, refused.job_id)
            continue
        for ask, answer in claimed.items():
            ask.answer, ask.answered = answer, True
        left = [ask for ask in left if ask not in claimed]
        for pipeline_id in sorted(unsettled):
            _start_pipeline_later(core, pipeline_id)


def _offered(core: Core, asks: Iterable[_Ask]) -> dict[_Ask, list[Offer]]:
    """What each may take; those that may take the same are looked up once."""
    found: dict[Any, list[Offer]] = {}
    offered: dict[_Ask, list[Offer]] = {}
    for ask in asks:
        look, ask.known = ask.known or look_up(core, ask.runner_id), None
        if look is None or look.runner.paused:
            offered[ask] = []
            continue
        runner = look.runner
        alike = (runner.runner_type, runner.access_level, None if runner.runner_type == "instance_type" else runner.id)
        key = (*alike, tuple(fitting_sets(core, look)), ask.features)
        if key not in found:
            found[key] = offers(core, look, ask.features)
        offered[ask] = found[key]
    return offered


class _CannotRun(Exception):
    """A job that was about to be claimed lacks artifacts that it depends on."""

    def __init__(self, job_id: int) -> None:
        super().__init__(job_id)
        self.job_id = job_id


def _claim_each(core: Core, offered: Mapping[_Ask, Sequence[Offer]]) -> tuple[dict[_Ask, Claimed], set[int]]:
    """Claim for each the first that is still to be had. Also the ids of the pipelines whose status is to be seen to.

    Raises _CannotRun, and then nothing has happened.
    """
    claimed: dict[_Ask, Claimed] = {}
    gone: set[int] = set()
    more: Counter[int] = Counter()
    unsettled: set[int] = set()
    with write(core.session):
        for ask, jobs in offered.items():
            token = crypto.new_token(JOB_TOKEN_PREFIX)
            for offer in _in_order(jobs, gone, more):
                gone.add(offer.job_id)
                taken = _take(core, offer.job_id, ask.runner_id, ask.manager_id, token)
                if taken is None:
                    continue
                if not _begin(core, offer.job_id, taken):
                    unsettled.add(taken.pipeline_id)
                more[offer.project_id] += offer.running is not None
                claimed[ask] = Claimed(offer.job_id, token)
                break
    return claimed, unsettled


def _in_order(jobs: Sequence[Offer], gone: Container[int], more: Mapping[int, int]) -> Iterable[Offer]:
    """Those that are not `gone` yet, now that projects run so many `more` on instance runners."""

    def place(offer: Offer) -> tuple[int, int]:
        return 0 if offer.running is None else offer.running + more[offer.project_id], offer.job_id

    return sorted((offer for offer in jobs if offer.job_id not in gone), key=place)


def _begin(core: Core, job_id: int, taken: Row[Any]) -> bool:
    """*In a write*: the job runs; False where its pipeline's status is to be seen to later. Raises _CannotRun."""
    if dependencies.are_gone(core, job_id, taken.plan):
        raise _CannotRun(job_id)
    settled = _is_shown_to_run(taken) or _start_pipeline(core, taken.pipeline_id)
    if taken.delivers:
        job_claimed(core, job_id)
    notice = job_notice(job_id, status.RUNNING, core.now())
    after_commit(core.session, lambda: core.bus.publish(notice))
    return settled


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
