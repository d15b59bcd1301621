"""Which jobs a runner is offered: those that it may take and can run, the next one first."""

import json
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Row, func, null, select

from app.domain import status
from app.models import Job, Project, TagSet
from app.services.core import Core
from app.services.runners.known_runner import Look
from app.services.runners.queue_heads import Rows, followers, heads, in_scope, running_by_project

#: How many jobs one look at the queue considers (gitlab.md A.3).
CANDIDATES = 45
#: With fewer rows of the queue than this, the jobs behind the first ones are looked at too: others may be faster.
ENOUGH = 9

_tag_sets: "WeakKeyDictionary[Any, _TagSets]" = WeakKeyDictionary()


def fitting_jobs(core: Core, look: Look) -> Rows:
    """A select of id, required_features, project_id and running (as in `Offer`) of the pending jobs that a runner may
    take, the next one first.

    An instance runner serves the project with the fewest jobs on instance runners first; others go by age.
    """
    runner = look.runner
    query = select(Job.id, Job.required_features, Job.project_id).join(Project, Project.id == Job.project_id)
    query = query.where(Job.status == status.PENDING, Job.tag_set_id.in_(fitting_sets(core, look)))
    query = query.where(Job.bridge.is_(False), Project.archived.is_(False), in_scope(runner.runner_type))
    query = query.params(runner_id=runner.id, project_id=runner.project_id, group_id=runner.group_id)
    if runner.access_level == "ref_protected":
        query = query.where(Job.protected.is_(True))
    if runner.runner_type != "instance_type":
        return query.add_columns(null().label("running")).order_by(Job.id)
    busy = running_by_project()
    running = func.coalesce(busy.c.jobs, 0)
    query = query.add_columns(running.label("running")).outerjoin(busy, busy.c.project_id == Job.project_id)
    return query.order_by(running, Job.id)


@dataclass(frozen=True, slots=True)
class Offer:
    """A job that may be claimed next. `running`: how many jobs its project has on instance runners; None where that
    does not decide.
    """

    job_id: int
    project_id: int
    running: int | None


def offers(core: Core, look: Look, features: frozenset[str]) -> list[Offer]:
    """The next jobs that the manager can run, in their order. Those that ask for more are left for another one."""
    first = core.session.connection().execute(*heads(look.runner, fitting_sets(core, look), CANDIDATES)).all()
    rows: list[Row[Any]] = list(first)
    if first and len(first) < ENOUGH:
        rows += core.session.execute(followers(look.runner, first, CANDIDATES // len(first))).all()
    if not all(row.required is None or features.issuperset(json.loads(row.required)) for row in rows):
        return _walk(core, look, features)
    running = {row.project_id: row.running for row in first}
    return [Offer(row.id, row.project_id, running[row.project_id]) for row in rows]


def _walk(core: Core, look: Look, features: frozenset[str]) -> list[Offer]:
    """The same, job by job: those in front may be none for this manager."""
    query = fitting_jobs(core, look)
    found: list[Offer] = []
    for offset in range(0, 20 * CANDIDATES, CANDIDATES):
        rows = core.session.execute(query.limit(CANDIDATES).offset(offset)).all()
        able = (row for row in rows if features.issuperset(row.required_features))
        found += [Offer(row.id, row.project_id, row.running) for row in able]
        if found or len(rows) < CANDIDATES:
            break
    return found


@dataclass(frozen=True, slots=True)
class _TagSets:
    """All tag sets of a database, read again when there are more. Rows are only ever added."""

    seen: tuple[int, int] = (0, 0)
    rows: tuple[tuple[int, frozenset[str]], ...] = ()


def fitting_sets(core: Core, look: Look) -> list[int]:
    """The ids of the tag sets that the runner takes."""
    database, runner = core.session.get_bind(), look.runner
    known = _tag_sets.get(database, _TagSets())
    if known.seen != look.tag_sets:
        rows = core.session.execute(select(TagSet.id, TagSet.tags)).all()
        seen = (len(rows), max((row.id for row in rows), default=0))
        # In one step: what one thread has seen never stands beside another's older rows.
        known = _tag_sets[database] = _TagSets(seen, tuple((row.id, frozenset(row.tags)) for row in rows))
    mine = frozenset(runner.tags)
    return [tag_set for tag_set, tags in known.rows if tags <= mine and (tags or runner.run_untagged)]
