"""The newest runs that a search finds, in one project or in many: a page's worth of ids, whatever there is behind it.

`key_pages.newest_in` reads no more than it has to. Where a search leaves the choice between several statuses, each is
looked up by itself, because an index holds the runs of one status in their order, but not those of two. Text goes the
other way round: an index of trigrams gives the runs, and those of other projects are left out.
"""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import ColumnElement, Select, select

from app.domain.search import Search, State
from app.models import Pipeline
from app.services.core import Core
from app.services.key_pages import Cursor, newest_in, within
from app.services.runs.search_runs import ENDED, FAILURES, OPEN, conditions, has_indexed_text

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
        query = select(Pipeline.id).where(Pipeline.project_id.in_(projects), *conditions(core, wanted), *also)
        return list(core.session.scalars(within(query, Pipeline.id, cursor).limit(most)))
    ways = [[*holds, *also] for holds in _ways(core, wanted)]
    return newest_in(core, projects, Pipeline, ways, cursor, most)


def _ways(core: Core, wanted: Search) -> Iterable[list[ColumnElement[bool]]]:
    """What may hold of a run, one way or the other; no run is found by two of them."""
    rest = conditions(core, replace(wanted, states=wanted.states[1:]))
    return ([*rest, chosen] for chosen in _CHOICES[wanted.states[0]]) if wanted.states else [rest]
