"""What a request for a job has to know of its runner: few columns, read by statements that are put together once.

A runner asks for every job anew, and waits for each; so its row is read again at each look, and nothing of it is kept.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select

from app import crypto
from app.events.base import WaitingRunner
from app.models import Counter, Runner, RunnerManager, RunnerProject, TagSet
from app.services.core import Core
from app.services.jobs.queue import TICK
from app.services.jobs.waiting_reason import AnyRunner, waiting_as


@dataclass(frozen=True, slots=True)
class Look:
    """A runner and the queue at one moment. `tag_sets`: how many sets of tags there are, and the newest one's id.
    `token_hash`: of the token that counts.
    """

    runner: AnyRunner
    tick: int
    tag_sets: tuple[int, int]
    token_hash: str


@dataclass(frozen=True, slots=True)
class Recognised:
    """Whose token it is, at that moment; and its manager, None for one that was never heard of: a row of `manager_id`,
    contacted_at and what it SAID.
    """

    look: Look
    manager: Row[Any] | None

    @property
    def runner_id(self) -> int:
        return self.look.runner.id


_runners, _managers, _sets = Runner.__table__.c, RunnerManager.__table__.c, TagSet.__table__.c
#: What is told of a manager at each request, and kept.
SAID = ("version", "revision", "platform", "architecture", "executor", "ip_address", "features")

_looked_at = (
    *(_runners.id, _runners.runner_type, _runners.group_id, _runners.project_id),
    *(_runners.tags, _runners.run_untagged, _runners.paused, _runners.access_level),
    _runners.token_hash,
    select(Counter.__table__.c.value).where(Counter.__table__.c.name == TICK).scalar_subquery().label("tick"),
    select(func.count()).select_from(_sets.id.table).scalar_subquery().label("sets"),
    select(func.max(_sets.id)).scalar_subquery().label("newest_set"),
)
_by_id = select(*_looked_at).where(_runners.id == bindparam("runner_id"))
_its_manager = (_managers.runner_id == _runners.id) & (_managers.system_id == bindparam("system_id"))
_by_token = (
    select(
        *(*_looked_at, _runners.token_expires_at, _managers.id.label("manager_id"), _managers.contacted_at),
        *(_managers[name] for name in SAID),
    )
    .select_from(_runners.id.table)
    .outerjoin(_managers.id.table, _its_manager)
    .where(_runners.token_hash == bindparam("token_hash"))
)
_shared = select(RunnerProject.__table__.c.project_id).where(
    RunnerProject.__table__.c.runner_id == bindparam("runner_id")
)


def recognise(core: Core, token: str, system_id: str) -> Recognised | None:
    """Whose authentication token this is, and which of the runner's managers has it; None where nobody's, or expired.

    Read from the database each time: a token that was revoked counts no more.
    """
    values = {"token_hash": crypto.token_hash(token), "system_id": system_id}
    row: Any = core.session.connection().execute(_by_token, values).first()
    if row is None or _is_over(row.token_expires_at, core.now()):
        return None
    return Recognised(_as_look(row), row if row.manager_id is not None else None)


def look_up(core: Core, runner_id: int) -> Look | None:
    """The runner as it is now, with the tick of the queue; None where it is gone."""
    row = core.session.connection().execute(_by_id, {"runner_id": runner_id}).first()
    return None if row is None else _as_look(row)


def _as_look(row: Any) -> Look:
    return Look(row, row.tick or 0, (row.sets, row.newest_set or 0), row.token_hash)


def as_waiting(core: Core, runner: AnyRunner) -> WaitingRunner:
    """What `runner` may take, in the bus's words."""
    shared: frozenset[int] = frozenset()
    if runner.runner_type == "project_type":
        shared = frozenset(core.session.connection().execute(_shared, {"runner_id": runner.id}).scalars())
    return waiting_as(runner, shared)


def _is_over(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is not None and expires_at <= now
