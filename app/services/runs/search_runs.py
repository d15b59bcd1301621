"""Runs that a query of the search language (`domain.search`) finds: one statement over indexed columns.

A piece of text of three characters or more is looked up in an index of trigrams: on SQLite the FTS5 table
`search_pipelines`, on PostgreSQL the index `search_pipelines_text` of pg_trgm. Shorter ones have no trigram, and where
the database has no such index (migration 0004), the texts of the project's runs are compared one by one, newest first.
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Integer, Select, column, false, func, inspect, literal_column, select, table
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from app.domain import calculated_status as calculated
from app.domain import search, status
from app.domain.errors import InvalidRequest
from app.domain.search import Search, State
from app.models import Pipeline, Project
from app.services.core import Core

#: More than a person writes, and far less than a database refuses.
MOST_CONDITIONS = 100
_LARGEST_NUMBER = 2**63 - 1
_TRIGRAM = 3
_INDEX = "search_pipelines"
_TRIGRAMS = table(_INDEX, column("rowid", Integer))

#: What `status:` takes: LayerCI's words (layerci.md B.1), and those that the pages show.
STATUS_WORDS = {word: word for word in calculated.AVAILABLE} | {
    "bad_layerfile": calculated.BAD_CONFIGURATION,
    "starting_runners": calculated.STARTING,
    "runner_cancelled": calculated.CANCELED,
    "cancelled": calculated.CANCELED,
    "pending": calculated.NEW,
    "success": calculated.SUCCEEDED,
    "passed": calculated.SUCCEEDED,
    "failed": calculated.FAILURE,
}
#: What the words for states mean: statuses, and for `failed` calculated ones. An index answers what is in a list, not
#: what is not.
ENDED = tuple(sorted(status.COMPLETED))
OPEN = tuple(sorted(set(status.AVAILABLE) - status.COMPLETED))
FAILURES = calculated.FAILURES


def latest_run(core: Core, project: Project, query: str) -> Pipeline | None:
    """The newest run of `project` that `query` finds. Raises InvalidRequest for a query with too many conditions."""
    found = matching_runs(core, project, query).order_by(Pipeline.id.desc()).limit(1)
    return core.session.scalar(found.options(joinedload(Pipeline.project)))


def matching_runs(core: Core, project: Project, query: str) -> Select[Pipeline]:
    """A select, in no order yet, of the runs of `project` that `query` finds, without children of others.

    Raises InvalidRequest as `latest_run`.
    """
    wanted = parse_search(query)
    own = own_names(project, wanted)
    return select(Pipeline).where(Pipeline.project_id == project.id, *own, *conditions(core, wanted))


def parse_search(query: str) -> Search:
    """The query taken apart. Raises InvalidRequest as `latest_run`."""
    wanted = search.parse(query)
    if wanted.size > MOST_CONDITIONS:
        raise InvalidRequest(f"A search has at most {MOST_CONDITIONS} conditions", "search")
    return wanted


def conditions(core: Core, wanted: Search, driven: bool = False) -> list[ColumnElement[bool]]:
    """What holds of a run that is `wanted`, but for its repository; children of other runs never are.

    `driven`: an index of trigrams that knows its runs in their order leads, so that the first page of what many runs
    have is found without the others. The select is ordered by `run_key` then.
    """
    return [
        Pipeline.source != "parent_pipeline",
        *(_branch(name) for name in wanted.branches),
        *(_number(text) for text in wanted.ids),
        *(_status(word) for word in wanted.statuses),
        *(_STATES[state] for state in wanted.states),
        *_text(core, wanted, driven),
    ]


def run_key(core: Core, wanted: Search) -> ColumnElement[int] | InstrumentedAttribute[int]:
    """What a select whose conditions are `driven` is ordered by: the run's id, as the index that leads knows it."""
    return _TRIGRAMS.c.rowid if has_indexed_text(wanted) and _knows_trigrams(core) else Pipeline.id


def has_indexed_text(wanted: Search) -> bool:
    """Whether it asks for a piece of text that an index of trigrams may know."""
    return any(len(piece) >= _TRIGRAM for piece in wanted.contains)


def own_names(project: Project, wanted: Search) -> Iterable[ColumnElement[bool]]:
    """What `repo:` asks where there is one project to look in: another's name finds nothing. Paths count in any case,
    as everywhere.
    """
    own = (project.path.lower(), project.full_path.lower())
    return (false() for name in wanted.repositories if name.lower() not in own)


def _branch(name: str) -> ColumnElement[bool]:
    return (Pipeline.ref == name) & Pipeline.tag.is_(False)


def _number(text: str) -> ColumnElement[bool]:
    """The number of a run in its project. What is no number is the number of nothing."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return Pipeline.iid == number if 0 < number <= _LARGEST_NUMBER else false()


def _status(word: str) -> ColumnElement[bool]:
    known = STATUS_WORDS.get(word.lower())
    return Pipeline.calculated_status == known if known else false()


_STATES: dict[State, ColumnElement[bool]] = {
    State.RUNNING: Pipeline.status.in_(OPEN),
    State.DONE: Pipeline.status.in_(ENDED),
    State.FAILED: Pipeline.calculated_status.in_(FAILURES),
}


def _text(core: Core, wanted: Search, driven: bool) -> Iterable[ColumnElement[bool]]:
    on_sqlite = core.session.get_bind().dialect.name == "sqlite"
    position = func.instr if on_sqlite else func.strpos
    long = {piece for piece in wanted.contains if len(piece) >= _TRIGRAM}
    if not on_sqlite:
        yield from (Pipeline.search_text.like(f"%{_literally(piece)}%") for piece in sorted(long))
    elif long and _knows_trigrams(core):
        matches = _matches(sorted(long))
        yield from (
            (Pipeline.id == _TRIGRAMS.c.rowid, matches)
            if driven
            else (Pipeline.id.in_(select(_TRIGRAMS.c.rowid).where(matches)),)
        )
    else:
        long = set()
    yield from (position(Pipeline.search_text, piece) > 0 for piece in wanted.contains if piece not in long)
    yield from (position(Pipeline.search_text, piece) == 0 for piece in wanted.lacks)


def _knows_trigrams(core: Core) -> bool:
    """Whether this is an SQLite with the index of trigrams, which is a table of its own there."""
    connection = core.session.connection()
    return connection.dialect.name == "sqlite" and inspect(connection).has_table(_INDEX)


def _matches(pieces: Iterable[str]) -> ColumnElement[bool]:
    """The text of a row of the table of trigrams holds every piece."""
    return literal_column(_INDEX).op("MATCH")(" AND ".join('"' + piece.replace('"', '""') + '"' for piece in pieces))


def _literally(piece: str) -> str:
    """`piece` with what LIKE takes for more than itself escaped, as PostgreSQL understands without being told."""
    return piece.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
