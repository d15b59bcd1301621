"""The jobs of a project that a query of the search language (`domain.search`) finds, newest first.

Text is looked for in a job's name, `branch:` is its pipeline's, `id:` its own, `status:` takes the words that the pages
show, and a word for a state is the job's. What no index answers is looked for in a stretch of so many jobs; the page
then says how far it came, and goes on from there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from sqlalchemy import ColumnElement, case, false, literal, select
from sqlalchemy.orm import joinedload

from app.domain import search, status
from app.domain.search import Search, State
from app.models import Job, Pipeline, Project
from app.services.core import Core
from app.services.key_pages import NEWEST, Cursor, KeyPage, cut, merged, within
from app.services.runs.search_runs import own_names, parse_search

PAGE = 30
#: How many jobs a page looks through for what no index answers, in pieces of so many.
STRETCH, PIECE = 10_000, 2_000

STATUS_WORDS = {word: word for word in status.AVAILABLE} | {
    "passed": status.SUCCESS,
    "succeeded": status.SUCCESS,
    "failure": status.FAILED,
    "cancelled": status.CANCELED,
    "new": status.PENDING,
}
#: What each word for a state means. An index holds the jobs of one status in their order, but not those of two.
_STATES = {
    State.RUNNING: set(status.AVAILABLE) - status.COMPLETED,
    State.DONE: status.COMPLETED,
    State.FAILED: {status.FAILED},
}


@dataclass(frozen=True, slots=True)
class JobList:
    """One page. `cut_short`: not every job was looked at; `older` and `newer` lead on through the others."""

    page: KeyPage[Job]
    cut_short: bool = False


def search_jobs(
    core: Core, project: Project, *, search: str = "", cursor: Cursor = NEWEST, limit: int = PAGE
) -> JobList:
    """The jobs of `project` that `search` finds, earlier tries too.

    Raises InvalidRequest as `search_runs.latest_run`.
    """
    wanted = parse_search(search)
    holds = [Job.project_id == project.id, *_conditions(project, wanted)]
    if not (wanted.contains or wanted.lacks or wanted.branches):
        query = select(Job.id).where(*holds)
        queries = [query.where(Job.status == word) for word in _statuses(wanted)] if wanted.states else [query]
        found = merged(core, queries, Job.id, cursor, limit + 1)
        return JobList(_loaded(core, cut(found, cursor, limit, lambda key: key)))
    holds += [Job.status.in_(_statuses(wanted))] if wanted.states else []
    found, reached = _look_through(core, holds, wanted, cursor, limit + 1)
    page = cut(found, cursor, limit, lambda key: key)
    if reached is not None and len(found) <= limit:
        older, newer = (page.older, reached) if cursor.after is not None else (reached, page.newer)
        return JobList(_loaded(core, KeyPage(page.rows, older, newer)), cut_short=True)
    return JobList(_loaded(core, page))


def _conditions(project: Project, wanted: Search) -> Iterable[ColumnElement[bool]]:
    yield from own_names(project, wanted)
    yield from (_number(text) for text in wanted.ids)
    yield from (_status(word) for word in wanted.statuses)


def _statuses(wanted: Search) -> list[str]:
    """What the words for states leave, where there are any."""
    return sorted(set.intersection(*(set(_STATES[state]) for state in wanted.states)))


def _number(text: str) -> ColumnElement[bool]:
    plain = text.isascii() and text.isdigit() and len(text) < 19
    return Job.id == int(text) if plain else false()


def _status(word: str) -> ColumnElement[bool]:
    known = STATUS_WORDS.get(word.lower())
    return Job.status == known if known else false()


def _look_through(
    core: Core, holds: Sequence[ColumnElement[bool]], wanted: Search, cursor: Cursor, most: int
) -> tuple[list[int], int | None]:
    """Keys of jobs in the order of `within`, and the last one that was looked at, None where all were."""
    query = select(Job.id, Job.name, literal("").label("branch"))
    if wanted.branches:
        branch = case((Pipeline.tag, ""), else_=Pipeline.ref).label("branch")
        query = select(Job.id, Job.name, branch).join(Job.pipeline)
    is_wanted = cache(partial(_is_wanted, wanted))  # names come again and again
    found: list[int] = []
    for _ in range(STRETCH // PIECE):
        # The keys by themselves, which an index has in their order: for other columns too, PostgreSQL would rather go
        # through the newest jobs of all projects until it has enough of this one's.
        piece = within(select(Job.id).where(*holds), Job.id, cursor).limit(PIECE)
        rows = core.session.execute(query.where(Job.id.in_(select(piece.subquery().c.id)))).all()
        rows = sorted(rows, key=lambda row: row.id, reverse=cursor.after is None)
        found += (row.id for row in rows if is_wanted(row.name, row.branch))
        if len(found) >= most or len(rows) < PIECE:
            return found[:most], None
        last = rows[-1].id
        cursor = Cursor(after=last) if cursor.after is not None else Cursor(before=last)
    return found, last


def _is_wanted(wanted: Search, name: str, branch: str) -> bool:
    folded = search.fold(name)
    return (
        all(piece in folded for piece in wanted.contains)
        and not any(piece in folded for piece in wanted.lacks)
        and all(each == branch for each in wanted.branches)
    )


def _loaded(core: Core, page: KeyPage[int]) -> KeyPage[Job]:
    query = select(Job).where(Job.id.in_(page.rows))
    query = query.options(joinedload(Job.pipeline), joinedload(Job.user), joinedload(Job.runner))
    rows = {job.id: job for job in core.session.scalars(query)}
    return KeyPage([rows[key] for key in page.rows], page.older, page.newer)
