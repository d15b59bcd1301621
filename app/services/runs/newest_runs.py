"""The newest runs that a search finds, in one project or in many: a page's worth of ids, whatever there is behind it.

`key_pages.newest_in` reads no more than it has to. Where a search leaves the choice between several statuses, each is
looked up by itself, because an index holds the runs of one status in their order, but not those of two. Text goes the
other way round: an index of trigrams gives the runs, the newest first where it can, and those of other projects are
left out.
"""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import ColumnElement, Select, func, select

from app.domain.search import Search, State
from app.models import Pipeline, Project
from app.services.core import Core
from app.services.key_pages import NEWEST, Cursor, newest_in, within
from app.services.runs.search_runs import ENDED, FAILURES, OPEN, conditions, has_indexed_text, run_key

_CHOICES = {
    State.RUNNING: [Pipeline.status == word for word in OPEN],
    State.DONE: [Pipeline.status == word for word in ENDED],
    State.FAILED: [Pipeline.calculated_status == word for word in FAILURES],
}


def newest_runs(
    core: Core,
    projects: Select[int],
    wanted: Search,
    cursor: Cursor,
    most: int,
    *also: ColumnElement[bool],
) -> list[int]:
    """The ids of at most so many runs of `projects` (a select of ids) that are `wanted`, in the order of
    `key_pages.within`; `also` holds of all of them. `repo:` in a search is the caller's business.
    """
    if has_indexed_text(wanted):
        return list(core.session.scalars(_by_text(core, projects, wanted, cursor).where(*also).limit(most)))
    ways = [[*holds, *also] for holds in _ways(core, wanted)]
    return newest_in(core, projects, Pipeline, ways, cursor, most)


def _by_text(core: Core, projects: Select[int], wanted: Search, cursor: Cursor) -> Select[int]:
    """Begins with the newest run of these projects: later ones are others', and where the index of trigrams leads, or
    PostgreSQL goes through all runs from the newest on, they would all be looked at.
    """
    key = run_key(core, wanted)
    query = select(Pipeline.id).where(Pipeline.project_id.in_(projects), *conditions(core, wanted, driven=True))
    if cursor == NEWEST:
        of_project = select(func.max(Pipeline.id)).where(Pipeline.project_id == Project.id).correlate(Project)
        query = query.where(key <= projects.with_only_columns(func.max(of_project.scalar_subquery())).scalar_subquery())
    return within(query, key, cursor)


def _ways(core: Core, wanted: Search) -> Iterable[list[ColumnElement[bool]]]:
    """What may hold of a run, one way or the other; no run is found by two of them."""
    rest = conditions(core, replace(wanted, states=wanted.states[1:]))
    return ([*rest, chosen] for chosen in _CHOICES[wanted.states[0]]) if wanted.states else [rest]
