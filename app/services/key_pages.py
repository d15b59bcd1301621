"""Pages of lists, newest first, that go on from a key: however long the list is, no page reads what others show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, select, union_all

from app.models import Job, Pipeline, Project
from app.services.core import Core

Row = TypeVar("Row")
Chosen = TypeVar("Chosen", bound=Select[*tuple[Any, ...]])
#: What holds of a row, all of it.
Holds = Sequence[ColumnElement[bool]]
#: Tables whose rows belong to projects, with an index by project and key.
OfProjects = type[Pipeline] | type[Job]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page is: older than the key `before`, or the next newer than the key `after`. Neither: the newest."""

    before: int | None = None
    after: int | None = None


NEWEST = Cursor()


@dataclass(frozen=True, slots=True)
class KeyPage(Generic[Row]):
    """`rows` newest first. `older` and `newer` are the keys to go on from (`before`, `after`), None where there is no
    more.
    """

    rows: list[Row]
    older: int | None
    newer: int | None


def within(query: Chosen, key: Any, cursor: Cursor) -> Chosen:
    """`query` from the cursor on, in the order in which `cut` wants its rows."""
    if cursor.before is not None:
        query = query.where(key < cursor.before)
    if cursor.after is not None:
        return query.where(key > cursor.after).order_by(key)
    return query.order_by(key.desc())


def merged(core: Core, queries: Sequence[Select[int]], key: Any, cursor: Cursor, most: int) -> list[int]:
    """At most so many keys of what any of `queries` finds, in the order of `within`. No two find the same."""
    pages = [select(within(query, key, cursor).limit(most).subquery().c[key.key]) for query in queries]
    if not pages:
        return []
    return sorted(core.session.scalars(union_all(*pages)), reverse=cursor.after is None)[:most]


def newest_in(
    core: Core, projects: Select[int], table: OfProjects, ways: Sequence[Holds], cursor: Cursor, most: int
) -> list[int]:
    """At most so many keys of rows of `table` in `projects` (a select of ids), in the order of `within`. One of `ways`
    holds of each row, and of no row two.

    However many rows there are, this takes one look into an index for each project and way, and then reads a page's
    worth of the few that have the newest: no other can have a row on the page.
    """
    found = [
        (newest, project_id, holds)
        for holds in ways
        for newest, project_id in heads(core, projects, table, holds, cursor, most)
    ]
    found.sort(key=lambda head: head[0], reverse=cursor.after is None)
    pages = []
    for newest, project_id, holds in found[:most]:
        # Said once more where the page begins: PostgreSQL would rather go through the newest rows of all projects.
        begins = table.id <= newest if cursor.after is None else table.id >= newest
        pages.append(select(table.id).where(table.project_id == project_id, begins, *holds))
    return merged(core, pages, table.id, cursor, most)


def heads(
    core: Core, projects: Select[int], table: OfProjects, holds: Holds, cursor: Cursor, most: int | None = None
) -> list[tuple[int, int]]:
    """The first row of each of `projects` from the cursor on, as (its key, the project's), in the order of `within`;
    at most so many.
    """
    of_project = select(table.id).where(table.project_id == Project.id, *holds).correlate(Project)
    first = within(of_project, table.id, cursor).limit(1).scalar_subquery().label("head")
    order = first.asc() if cursor.after is not None else first.desc()
    rows = core.session.execute(projects.add_columns(first).order_by(order.nulls_last()).limit(most))
    return [(newest, project_id) for project_id, newest in rows if newest is not None]


def cut(found: Sequence[Row], cursor: Cursor, limit: int, key: Callable[[Row], int]) -> KeyPage[Row]:
    """The page of what a query `within` the cursor found, of which one row more than `limit` was asked for."""
    more, shown = len(found) > limit, list(found[:limit])
    forwards = cursor.after is not None
    if forwards:
        shown.reverse()
    return KeyPage(
        rows=shown,
        older=key(shown[-1]) if shown and (more or forwards) else None,
        newer=key(shown[0]) if shown and (cursor.before is not None or (forwards and more)) else None,
    )
