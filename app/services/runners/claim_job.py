"""Hand a waiting job to a runner: each job exactly once."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import select

from app import crypto
from app.domain import failure, status
from app.domain.errors import Conflict
from app.models import Job, Pipeline, RunnerManager, write
from app.services.core import Core
from app.services.jobs.queue import make_pending
from app.services.pipelines.advance_pipeline import advance
from app.services.runners.job_offers import Offer, fitting_sets, offers
from app.services.runners.known_runner import Look, look_up
from app.services.runners.take_job import Begun, CannotRun, Taker, begin, may_take
from app.services.runners.turns import Turn, Turns
from app.services.runners.unclaimable import TROUBLE, end_unclaimable

log = structlog.get_logger(__name__)

JOB_TOKEN_PREFIX = "glcbt-"  # noqa: S105 - how job tokens begin, no token
#: How often a claim looks again when others took all that it saw.
LOOKS = 20

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
    if core.session.get_bind().dialect.name == "sqlite":
        core.session.rollback()  # a transaction goes on seeing what was there when it began
    ask = _Ask(runner_id, manager_id, features, known)
    turns = _turns.setdefault(core.session.get_bind(), Turns(TOGETHER))
    # Whoever waits for its turn keeps no connection.
    turns.serve(ask, lambda together: _serve_all(core, together), before_waiting=core.session.rollback)
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
        self.taker = Taker(runner_id, manager_id, known.token_hash if known else "")
        self.answer: Claimed | None = None
        self.answered = False

    def look(self, core: Core) -> Look | None:
        """The runner as it was when it asked, then as it is now; None where it may take nothing, or nothing any more:
        whoever has another token now than when it asked does not count.
        """
        look, self.known = self.known or look_up(core, self.runner_id), None
        if look is None or look.runner.paused:
            return None
        if not self.taker.token_hash:  # it was not known before
            self.taker = Taker(self.runner_id, self.manager_id, look.token_hash)
        return look if look.token_hash == self.taker.token_hash else None


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
    left, suspects = list(asks), set[int]()
    for _ in range(LOOKS):
        offered = _offered(core, left)
        for ask in left:
            ask.answered = not offered[ask]
        left = [ask for ask in left if offered[ask]]
        if not left:
            return
        try:
            claimed, unsettled = _claim_each(core, {ask: offered[ask] for ask in left})
        except CannotRun as refused:
            end_unclaimable(core, refused.job_id, failure.MISSING_DEPENDENCY_FAILURE)
            continue
        except _ClaimFailed as failed:
            _see_to(core, failed, suspects)
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
        look = ask.look(core)
        if look is None:
            offered[ask] = []
            continue
        runner = look.runner
        alike = (runner.runner_type, runner.access_level, None if runner.runner_type == "instance_type" else runner.id)
        key = (*alike, tuple(fitting_sets(core, look)), ask.features)
        if key not in found:
            found[key] = offers(core, look, ask.features)
        offered[ask] = found[key]
    return offered


class _ClaimFailed(Exception):
    """Something that nobody expected was raised where a job was claimed for `ask`; it is the cause."""

    def __init__(self, job_id: int, ask: _Ask) -> None:
        super().__init__(job_id)
        self.job_id, self.ask = job_id, ask


def _claim_each(core: Core, offered: Mapping[_Ask, Sequence[Offer]]) -> tuple[dict[_Ask, Claimed], set[int]]:
    """Claim for each the first that is still to be had. Also the ids of the pipelines whose status is to be seen to.

    Raises CannotRun and _ClaimFailed, and then nothing has happened.
    """
    claimed: dict[_Ask, Claimed] = {}
    gone: set[int] = set()
    more: Counter[int] = Counter()
    unsettled: set[int] = set()
    with write(core.session, goes_on=True):  # nothing that was read is believed: each update has its conditions
        for ask, jobs in offered.items():
            token = crypto.new_token(JOB_TOKEN_PREFIX)
            for offer in _in_order(jobs, gone, more):
                begun, allowed = _begin(core, offer.job_id, ask, token)
                if not allowed:
                    break
                gone.add(offer.job_id)
                if begun is None:
                    continue
                if not begun.settled:
                    unsettled.add(begun.pipeline_id)
                more[offer.project_id] += offer.running is not None
                claimed[ask] = Claimed(offer.job_id, token)
                break
    return claimed, unsettled


def _begin(core: Core, job_id: int, ask: _Ask, token: str) -> tuple[Begun | None, bool]:
    """*In a write*: the job as `ask` has it now, None where it is not to be had; and whether `ask` may have any."""
    try:
        begun = begin(core, job_id, ask.taker, token)
        return begun, begun is not None or may_take(core, ask.taker)
    except CannotRun:
        raise
    except Exception as error:
        raise _ClaimFailed(job_id, ask) from error


def _in_order(jobs: Sequence[Offer], gone: Container[int], more: Mapping[int, int]) -> Iterable[Offer]:
    """Those that are not `gone` yet, now that projects run so many `more` on instance runners."""

    def place(offer: Offer) -> tuple[int, int]:
        return 0 if offer.running is None else offer.running + more[offer.project_id], offer.job_id

    return sorted((offer for offer in jobs if offer.job_id not in gone), key=place)


def _start_pipeline_later(core: Core, pipeline_id: int) -> None:
    with write(core.session):
        advance(core, core.session.get_one(Pipeline, pipeline_id))


def _see_to(core: Core, failed: _ClaimFailed, suspects: set[int]) -> None:
    """A claim failed. A job whose claim fails twice is at fault, and ends: nobody could ever take it, and those behind
    it would wait for good. Raises the failure where the database, the machine or the manager that asked is at fault.
    """
    cause = failed.__cause__ or failed
    if isinstance(cause, (*TROUBLE, OSError, MemoryError)) or not _is_there(core, failed.ask):
        raise cause
    log.error("a job could not be claimed", job=failed.job_id, exc_info=cause)
    if failed.job_id in suspects:
        end_unclaimable(core, failed.job_id, failure.DATA_INTEGRITY_FAILURE, "The server could not begin the job.")
    suspects.add(failed.job_id)


def _is_there(core: Core, ask: _Ask) -> bool:
    mine = select(RunnerManager.id).where(RunnerManager.id == ask.manager_id, RunnerManager.runner_id == ask.runner_id)
    return core.session.scalar(mine) is not None


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
