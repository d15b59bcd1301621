"""Runs are found by one statement over indexes, on both databases, and with or without an index of trigrams."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from app.domain import calculated_status as calculated
from app.domain import status
from app.domain.errors import InvalidRequest
from app.domain.search import State, fold, parse
from app.extensions import db
from app.models import Pipeline, Project
from app.services.core import Core
from app.services.runs.search_runs import STATUS_WORDS, latest_run, matching_runs
from tests.databases import BOTH, POSTGRESQL
from tests.factories import make_commit, make_pipeline, make_project, make_user

pytestmark = pytest.mark.planner

MESSAGES = (
    "Add a file\n\nbecause 100% of it_was missing",
    "Mend the README\n",
    "Straße nach Ä\n\nlayer ci exact text here",
    'He said "no" \\ and left',
    "ci",
    "x",
)
ENDS = (
    ("success", calculated.SUCCEEDED, "main", False),
    ("failed", calculated.FAILURE, "main", False),
    ("failed", calculated.BAD_CONFIGURATION, "Main", False),
    ("running", calculated.FAILURE, "main", False),
    ("running", calculated.RUNNING, "v1", True),
    ("pending", calculated.NEW, "v1", False),
)
TRIGGERS = ("added", "removed", "changed")
WITHOUT = {
    "sqlite": ["DROP TABLE search_pipelines", *(f"DROP TRIGGER search_pipelines_{verb}" for verb in TRIGGERS)],
    "postgresql": ["DROP INDEX search_pipelines_text"],
}


@pytest.fixture
def project(core: Core) -> Project:
    """A project with a run for each message, and another one with a run that has them all."""
    owner = make_user(core)
    project, other = (make_project(core, f"acme/{name}", creator=owner) for name in ("rocket", "other"))
    for message, (pipeline_status, calculated_status, ref, tag) in zip(MESSAGES, ENDS, strict=True):
        make_run(core, project, message, status=pipeline_status, calculated_status=calculated_status, ref=ref, tag=tag)
    make_run(core, other, "\n".join(MESSAGES), status="success", calculated_status=calculated.SUCCEEDED)
    return project


def make_run(core: Core, project: Project, message: str, **given: Any) -> Pipeline:
    return make_pipeline(core, project, commit=make_commit("a" * 40, core.now(), message), **given)


@pytest.fixture(params=["index", "no index"])
def index(request: pytest.FixtureRequest, core: Core, project: Project) -> Iterator[str]:
    """With the database's index of trigrams, and without it, where the plain comparison has to do."""
    if request.param == "index":
        yield request.param
        return
    dialect, definition = db.engine.dialect.name, ""
    if dialect == "postgresql":  # the next test works in the same database
        definition = core.session.scalar(text("SELECT pg_get_indexdef('search_pipelines_text'::regclass)"))
    for statement in WITHOUT[dialect]:
        core.session.execute(text(statement))
    core.session.commit()
    yield request.param
    core.session.rollback()
    core.session.execute(text(definition or "SELECT 1"))
    core.session.commit()


def numbers(core: Core, project: Project, query: str) -> list[int]:
    found = matching_runs(core, project, query).order_by(Pipeline.id.desc())
    return [run.iid for run in core.session.scalars(found)]


#: The example of LayerCI's documents.
EXAMPLE = 'text to find in commit body "exact text" -layer -ci repo:layer-example-repo branch:main id:10 status:running'
QUERIES = [
    ("", [6, 5, 4, 3, 2, 1]),
    ("ada", [6, 5, 4, 3, 2, 1]),
    ("ADA@EXAMPLE", [6, 5, 4, 3, 2, 1]),
    ("readme", [2]),
    ("mend readme", [2]),
    ("mend file", []),
    ('"mend the"', [2]),
    ('"the mend"', []),
    ("STRASSE", [3]),
    ("ä", [3]),
    ("ci", [5, 3]),
    ("x", [6, 5, 4, 3, 2, 1]),
    ("-ci -ADD", [6, 4, 2]),
    ("-ada", []),
    ('-"exact text"', [6, 5, 4, 2, 1]),
    ("100%", [1]),
    ("it_was", [1]),
    ("100%of", []),
    ("it?was", []),
    ('\\ "\\ and"', [4]),
    ('said "', [4]),
    ("repo:rocket", [6, 5, 4, 3, 2, 1]),
    ("repo:ACME/Rocket", [6, 5, 4, 3, 2, 1]),
    ("repo:other", []),
    ("repo:rocket repo:other", []),
    ("branch:main", [4, 2, 1]),
    ("branch:Main", [3]),
    ("branch:v1", [6]),
    ("branch:main branch:v1", []),
    ("id:3", [3]),
    ("id:03", [3]),
    ("id:0 ", []),
    ("id:x", []),
    ("id:99999999999999999999999999", []),
    ("id:9223372036854775808", []),
    ("id:²", []),
    ("status:succeeded", [1]),
    ("status:FAILURE", [4, 2]),
    ("status:bad_layerfile", [3]),
    ("status:nonsense", []),
    ("status:new status:running", []),
    ("running", [6, 5, 4]),
    ("done", [3, 2, 1]),
    ("failed", [4, 3, 2]),
    ("running failed", [4]),
    ("running done", []),
    ("layer exact branch:Main id:3 repo:rocket status:bad_layerfile done failed -nothing", [3]),
    (f"{EXAMPLE} done running failed", []),
]


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_every_kind_of_term_finds_what_it_should(core: Core, project: Project, index: str) -> None:
    assert {query: numbers(core, project, query) for query, _ in QUERIES} == dict(QUERIES)


def expected(run: Pipeline, query: str) -> bool:
    """The language by the book, in Python."""
    wanted, body = parse(query), fold(f"Ada\nada@example.com\n{run.commit['message']}")
    ended = run.status in status.COMPLETED
    states = {State.RUNNING: not ended, State.DONE: ended, State.FAILED: run.calculated_status in calculated.FAILURES}
    return (
        all(piece in body for piece in wanted.contains)
        and not any(piece in body for piece in wanted.lacks)
        and all(name.lower() in ("rocket", "acme/rocket") for name in wanted.repositories)
        and all(name == run.ref and not run.tag for name in wanted.branches)
        and all(text.isascii() and text.isdigit() and int(text) == run.iid for text in wanted.ids)
        and all(STATUS_WORDS.get(word.lower()) == run.calculated_status for word in wanted.statuses)
        and all(states[state] for state in wanted.states)
    )


PIECES = st.sampled_from(
    ['"', "-", " ", "ci", "exact", "Mend", "Ä", "ß", "%", "_", "\\", "'", "*", "AND", "NOT", "(", "branch:", "main",
     "status:failure", "id:", "2", "running", "failed", "\0", "\ud800", "\n", "É", "x", "no"]
)  # fmt: skip


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_any_query_finds_what_the_language_says(core: Core, project: Project) -> None:
    runs = list(core.session.scalars(matching_runs(core, project, "").order_by(Pipeline.id.desc())))
    known = [(run, run.iid) for run in runs]

    @settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(PIECES | st.text(max_size=4), max_size=8).map("".join))
    def compare(query: str) -> None:
        assert numbers(core, project, query) == [iid for run, iid in known if expected(run, query)]

    compare()


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_the_newest_is_taken_and_the_index_follows_every_change(core: Core, project: Project) -> None:
    found = latest_run(core, project, "branch:main ada")
    assert found is not None
    assert found.iid == 4
    found.commit = make_commit("b" * 40, core.now() + timedelta(days=1), "Something else")
    core.session.commit()
    assert (numbers(core, project, "said"), numbers(core, project, "something")) == ([], [4])
    core.session.delete(core.session.get_one(Pipeline, found.id))
    core.session.commit()
    assert numbers(core, project, "something") == []
    assert latest_run(core, project, "no such thing") is None


def test_more_conditions_than_anybody_writes_are_refused(core: Core, project: Project) -> None:
    words = [chr(0x4E00 + number) for number in range(101)]
    assert numbers(core, project, " ".join(words[:100])) == []
    with pytest.raises(InvalidRequest, match="at most 100"):
        latest_run(core, project, " ".join(words))


def plan_of(core: Core, project: Project, query: str) -> str:
    """How the database goes about the statement that `latest_run` sends."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT pipelines") and "ORDER BY" in statement:
            seen.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        latest_run(core, project, query)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    ((statement, values),) = seen
    explain = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN"
    rows = core.session.connection().exec_driver_sql(f"{explain} {statement}", values)
    return "\n".join(str(tuple(row)) for row in rows)


Planner = Callable[[str], str]


MANY = text("""
    WITH RECURSIVE numbers (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM numbers WHERE n < 4000)
    INSERT INTO pipelines (iid, project_id, ref, tag, protected, sha, before_sha, source, status, stages, "commit",
        search_text, calculated_status, created_at, updated_at)
    SELECT n, project_id, 'b' || n, tag, protected, sha, before_sha, source, 'success', stages, "commit",
        'word ' || n || ' of many', 'succeeded', created_at, updated_at
    FROM pipelines, numbers WHERE project_id = 1 AND iid = 1
""")


@pytest.fixture
def planner(core: Core, project: Project) -> Planner:
    """The plan for a query in a project of many runs."""
    core.session.execute(MANY)
    core.session.commit()
    if db.engine.dialect.name == "postgresql":  # what autovacuum does in its own time
        core.session.execute(text("SELECT gin_clean_pending_list('search_pipelines_text')"))
    core.session.execute(text("ANALYZE"))
    core.session.commit()
    return lambda query: plan_of(core, project, query)


def test_sqlite_answers_from_indexes(planner: Planner) -> None:
    assert "search_pipelines VIRTUAL TABLE INDEX" in planner('layer "exact text"')
    assert "uq_pipelines_iid" in planner("id:3")
    assert "ix_pipelines_project_calculated_status" in planner("status:succeeded")
    assert "ix_pipelines_project_ref" in planner("branch:main")
    for query in ("", "ci", "-word", "running", "done", "failed", "id:1 status:new branch:x long words"):
        assert "SCAN pipelines" not in planner(query), query


@pytest.mark.parametrize("database", POSTGRESQL, indirect=True)
def test_postgresql_answers_from_indexes(planner: Planner) -> None:
    assert "search_pipelines_text" in planner('layer "exact text"')
    assert "uq_pipelines_iid" in planner("id:3")
    assert "ix_pipelines_project_calculated_status" in planner("status:failure")
    assert "ix_pipelines_project_ref" in planner("branch:main")
    for query in ("", "ci", "-word", "running", "done", "failed", "id:1 status:new branch:x long words"):
        assert "Seq Scan on pipelines" not in planner(query), query
