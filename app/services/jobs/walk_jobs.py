"""Jobs of many projects in their order, one after the other, for what no index answers."""

import heapq
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Select, case, literal, select

from app.models import Job, Pipeline
from app.services.core import Core
from app.services.key_pages import Cursor, Holds, heads, within

#: So many jobs of a project are read at first, and twice as many each time that the walk comes back for more, up to so
#: many: of many projects that take turns only a few are wanted.
FIRST, PIECE = 40, 2_000


class Walked(NamedTuple):
    """A job on the way. `branch` is its pipeline's, where that was asked for, and empty for a tag."""

    id: int
    name: str
    branch: str


def walk_jobs(core: Core, projects: Select[int], holds: Holds, cursor: Cursor, branches: bool) -> Iterator[Walked]:
    """The jobs of `projects` (a select of ids) of which `holds` is true, in the order of `key_pages.within`.

    One look into an index says where each project begins; a project is read only once the walk comes to it, so that
    whoever stops early has read little.
    """
    sign = 1 if cursor.after is not None else -1
    ahead = heads(core, projects, Job, holds, cursor)[::-1]
    open_now: list[tuple[int, Walked, Iterator[Walked]]] = []
    while ahead or open_now:
        if ahead and (not open_now or sign * ahead[-1][0] < open_now[0][0]):
            rows = _of_project(core, ahead.pop()[1], holds, cursor, branches)
        else:
            _, job, rows = heapq.heappop(open_now)
            yield job
        following = next(rows, None)
        if following is not None:
            heapq.heappush(open_now, (sign * following.id, following, rows))


def _of_project(core: Core, project_id: int, holds: Holds, cursor: Cursor, branches: bool) -> Iterator[Walked]:
    query = select(Job.id, Job.name, literal("").label("branch"))
    if branches:
        query = select(Job.id, Job.name, case((Pipeline.tag, ""), else_=Pipeline.ref)).join(Job.pipeline)
    keys, size = select(Job.id).where(Job.project_id == project_id, *holds), min(FIRST, PIECE)
    while True:
        # The keys by themselves, which an index has in their order: for other columns too, PostgreSQL would rather go
        # through the newest jobs of all projects until it has enough of this one's.
        piece = within(keys, Job.id, cursor).limit(size).subquery()
        rows = core.session.execute(query.where(Job.id.in_(select(piece.c.id)))).all()
        yield from sorted((Walked(*row) for row in rows), key=lambda job: job.id, reverse=cursor.after is None)
        if len(rows) < size:
            return
        size = min(2 * size, PIECE)
        ids = [row[0] for row in rows]
        cursor = Cursor(after=max(ids)) if cursor.after is not None else Cursor(before=min(ids))
