"""The first jobs of the queue, found without reading the queue.

A claim needs one job, and ten thousand may wait. Those of one project with one set of tags stand in a row of their own
in an index; so the first of each such row are all that can be next, and each costs one look into the index.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from app.domain import status
from app.models import Group, Job, Project, Runner, RunnerProject, TagSet
from app.services.jobs.waiting_reason import AnyRunner

#: Written out, because only so a database sees that the indexes of pending and of running jobs will do.
_PENDING: ColumnElement[str] = literal_column(f"'{status.PENDING}'")
_RUNNING: ColumnElement[str] = literal_column(f"'{status.RUNNING}'")


Rows = Select[*tuple[Any, ...]]


def heads(runner: AnyRunner, tag_sets: Sequence[int], most: int) -> tuple[Rows, dict[str, Any]]:
    """A select of id, project_id, tag_set_id, required and running of the first job of each row that `runner` may take,
    at most so many, the next one first; and the values that it is executed with. `required`: see `required_text`.

    An instance runner serves the project with the fewest jobs on instance runners first; others go by age.
    """
    values = {"runner_id": runner.id, "project_id": runner.project_id, "group_id": runner.group_id}
    statement = _heads(runner.runner_type, runner.access_level == "ref_protected")
    return statement, values | {"tag_sets": tag_sets, "most": most}


@cache
def _heads(runner_type: str, protected_only: bool) -> Rows:
    """Made once: to put so large a statement together takes as long as to execute it."""
    waiting = _waiting_projects()
    first = pending_jobs(waiting.c.project_id, TagSet.id, protected_only).limit(1)
    rows = (
        select(first.correlate_except(Job).scalar_subquery().label("id"), waiting.c.project_id)
        .select_from(waiting)
        .join(Project, Project.id == waiting.c.project_id)
        .join(TagSet, TagSet.id.in_(bindparam("tag_sets", type_=Integer, expanding=True)))
        .where(Project.archived.is_(False), in_scope(runner_type))
        .cte("heads")
        .prefix_with("MATERIALIZED")  # else SQLite looks for each first job twice
    )
    next_ones = _next_of(rows, runner_type).where(rows.c.id.is_not(None)).limit(bindparam("most", type_=Integer))
    chosen = next_ones.subquery("chosen")
    query = select(Job.id, Job.project_id, Job.tag_set_id, required_text(), chosen.c.running)
    query = query.join(chosen, chosen.c.id == Job.id)
    return query.order_by(chosen.c.running, chosen.c.id) if runner_type == "instance_type" else query.order_by(Job.id)


def _next_of(rows: CTE, runner_type: str) -> Rows:
    """Of these heads the next ones, with the jobs that their projects have `running` where that decides."""
    if runner_type != "instance_type":
        return select(rows.c.id, null().label("running")).order_by(rows.c.id)
    busy = running_by_project()
    running = func.coalesce(busy.c.jobs, 0).label("running")
    query = select(rows.c.id, running).outerjoin(busy, busy.c.project_id == rows.c.project_id)
    return query.order_by(running, rows.c.id)


def required_text() -> ColumnElement[str | None]:
    """The features that a job asks for as JSON text, None for the most that ask for none: nobody has to read that."""
    return func.nullif(cast(Job.required_features, Text), "[]").label("required")


def followers(runner: AnyRunner, rows: Iterable[Any], most: int) -> Rows:
    """A select of id, project_id and required of those that stand behind the `heads` given, at most so many of each."""
    protected = runner.access_level == "ref_protected"
    behind = [
        pending_jobs(row.project_id, row.tag_set_id, protected).where(Job.id > row.id).limit(most) for row in rows
    ]
    found = union_all(*(select(each.subquery().c.id) for each in behind)).subquery()
    query = select(Job.id, Job.project_id, required_text())
    return query.join(found, found.c.id == Job.id).order_by(Job.id)


def _waiting_projects() -> CTE:
    """The projects that have pending jobs, each found by one step in the index from the one before."""
    # Sorted as only the index of the queue is, not the larger ones that begin with the project too.
    pending = select(Job.project_id).where(Job.status == _PENDING).order_by(Job.project_id, Job.tag_set_id).limit(1)
    found = select(pending.scalar_subquery().label("project_id")).cte("waiting", recursive=True)
    after = pending.where(Job.project_id > found.c.project_id).correlate(found).scalar_subquery()
    return found.union_all(select(after).where(found.c.project_id.is_not(None)))


def pending_jobs(project_id: Any, tag_set_id: Any, protected_only: bool) -> Select[int]:
    """The ids of the pending jobs of one row, in their order."""
    query = select(Job.id).where(Job.status == _PENDING, Job.project_id == project_id, Job.tag_set_id == tag_set_id)
    query = query.where(Job.bridge.is_(False)).order_by(Job.id)
    return query.where(Job.protected.is_(True)) if protected_only else query


def in_scope(runner_type: str) -> ColumnElement[bool]:
    """Which projects a runner serves, whose `runner_id`, `project_id` and `group_id` are values of the statement."""
    if runner_type == "project_type":
        shared = select(RunnerProject.project_id).where(RunnerProject.runner_id == bindparam("runner_id"))
        return or_(Project.id == bindparam("project_id"), Project.id.in_(shared))
    if runner_type == "instance_type":
        return Project.instance_runners.is_(True)
    below = select(Group.id).where(Group.id == bindparam("group_id")).cte("below", recursive=True)
    child = aliased(Group)
    below = below.union(select(child.id).join(below, child.parent_id == below.c.id))
    return Project.group_id.in_(select(below.c.id))


def running_by_project() -> Any:
    """How many jobs each project has on instance runners now. Counted in the index before runners are looked up."""
    counted = (
        select(Job.project_id, Job.runner_id, func.count().label("jobs"))
        .where(Job.status == _RUNNING)
        .group_by(Job.project_id, Job.runner_id)
        .subquery("counted")
    )
    return (
        select(counted.c.project_id, func.sum(counted.c.jobs).label("jobs"))
        .join(Runner, Runner.id == counted.c.runner_id)
        .where(Runner.runner_type == "instance_type")
        .group_by(counted.c.project_id)
        .subquery("running")
    )
