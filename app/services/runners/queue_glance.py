"""For which runners there is something in the queue: looked up once for all polls of a process, not by each.

Whenever a job becomes pending, one waiting runner is rung. The others look at the queue's tick every now and then, as a
ring may be lost; if each then asked the database for a job, one job would cost hundreds of claims that find nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import literal_column, select
from sqlalchemy.orm import joinedload, selectinload

from app.domain import status
from app.events.base import QueuedJob
from app.models import Job, Project, Runner, TagSet
from app.services import access
from app.services.core import Core
from app.services.jobs.queue import current_tick
from app.services.jobs.waiting_reason import as_waiting

#: The database is asked at most so often, in seconds.
GLANCE_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class Glance:
    """The queue at one tick. `runners` are the ids of those that may take something of it; more than really can is
    possible, fewer is not.
    """

    tick: int = 0
    runners: frozenset[int] = frozenset()


_glances: "WeakKeyDictionary[Any, tuple[float, Glance]]" = WeakKeyDictionary()


def glance(core: Core) -> Glance:
    """The queue as it was a moment ago."""
    database = core.session.get_bind()
    read_at, seen = _glances.get(database, (-GLANCE_EVERY, Glance()))
    if monotonic() - read_at < GLANCE_EVERY:
        return seen
    # Noted before it is read: others that ask meanwhile make do with the one before.
    _glances[database] = (monotonic(), seen)
    tick = current_tick(core)
    if tick != seen.tick:
        seen = Glance(tick, frozenset(_runners_that_fit(core)))
    _glances[database] = (monotonic(), seen)
    return seen


def _runners_that_fit(core: Core) -> Iterable[int]:
    waiting = list(_rows_of_queue(core))
    if not waiting:
        return
    for runner in core.session.scalars(select(Runner).options(selectinload(Runner.shared_with))):
        known = as_waiting(runner)
        if any(known.fits(row) for row in waiting):
            yield runner.id


def _rows_of_queue(core: Core) -> Iterable[QueuedJob]:
    """One for each project and set of tags of which jobs are pending. Read from the queue's index alone, which does
    not tell which of them are protected: they might all be.
    """
    pending = select(Job.project_id, Job.tag_set_id).where(Job.status == literal_column(f"'{status.PENDING}'"))
    rows = core.session.execute(pending.distinct()).all()
    projects = _by_id(core, select(Project).options(joinedload(Project.group)), Project.id, {row[0] for row in rows})
    tag_sets = _by_id(core, select(TagSet), TagSet.id, {row[1] for row in rows})
    for project_id, tag_set_id in rows:
        project = projects.get(project_id)
        if project is None:  # deleted since
            continue
        groups = tuple(access.group_chain(core, project.group))
        tags = frozenset(tag_sets[tag_set_id].tags)
        yield QueuedJob(0, project_id, groups, tags, protected=True, instance_runners=project.instance_runners)


def _by_id(core: Core, query: Any, key: Any, ids: Iterable[int]) -> dict[int, Any]:
    return {row.id: row for row in core.session.scalars(query.where(key.in_(ids)))}
