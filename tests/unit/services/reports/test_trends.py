"""Trends: what the database computes, and from which index."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, text

from app.extensions import db
from app.services.reports import trends
from app.services.reports.flaky_tests import flakiest_tests
from app.services.reports.trends import JobDay, JobTrend, PipelineDay, show_trends
from tests.databases import BOTH
from tests.factories import make_job, make_pipeline, make_project

pytestmark = pytest.mark.planner


def near(seconds):
    """SQLite's days have a precision of some microseconds."""
    return pytest.approx(seconds, abs=0.001)


@pytest.fixture
def noon(core, monkeypatch):
    """Today at noon, when the core's clock stands still."""
    moment = datetime(2026, 3, 10, 12, tzinfo=UTC)
    object.__setattr__(core, "now", lambda: moment)
    return moment


def ended_job(core, pipeline, at, seconds, waited=1, **given):
    started = at - timedelta(seconds=seconds)
    times = {"queued_at": started - timedelta(seconds=waited), "started_at": started, "finished_at": at}
    return make_job(core, pipeline, **{"status": "success", **times, **given})


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_days_have_counts_rates_and_percentiles(core, noon):
    project, other = make_project(core), make_project(core)
    yesterday = noon - timedelta(days=1)
    for number in range(1, 21):  # 1 to 20 seconds: the nearest rank of 50 % is the tenth, of 95 % the nineteenth
        times = {"started_at": yesterday - timedelta(seconds=number), "finished_at": yesterday}
        state = "failed" if number % 4 == 0 else "success"
        pipeline = make_pipeline(core, project, status=state, ref="main" if number < 20 else "topic", **times)
        ended_job(core, pipeline, yesterday, number, waited=number, name="unit", coverage=80.0 + number % 2)
    make_pipeline(core, project, status="canceled", finished_at=yesterday)
    make_pipeline(core, project, status="success", finished_at=noon - timedelta(days=40), started_at=noon)
    make_pipeline(core, other, status="success", finished_at=yesterday, started_at=yesterday)
    found = show_trends(core, project, 7)
    assert [one.day for one in found.pipelines] == [date(2026, 3, day) for day in range(4, 11)]
    assert found.pipelines[-2].success_rate == 75
    assert found.pipelines[-2] == PipelineDay(date(2026, 3, 9), 20, 15, near(10), near(19))
    assert found.pipelines[-1] == PipelineDay(date(2026, 3, 10))
    assert found.pipelines[-1].success_rate is None
    assert found.jobs[-2] == JobDay(date(2026, 3, 9), 20, near(10), near(19), near(80.5))
    assert found.slowest == [JobTrend("unit", 20, 0, near(10), near(19))]
    assert show_trends(core, project, 7, "topic").pipelines[-2].total == 1
    assert not found.truncated
    assert flakiest_tests(core, project, noon - timedelta(days=30), 10) == []


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_a_job_that_passed_when_it_was_tried_again_is_flaky(core, noon):
    project = make_project(core)
    for _ in range(2):
        pipeline = make_pipeline(core, project, status="success", finished_at=noon)
        ended_job(core, pipeline, noon, 5, name="e2e", status="failed", retried=True)
        ended_job(core, pipeline, noon, 7, name="e2e", attempt=2)
        ended_job(core, pipeline, noon, 1, name="lint", status="failed")
    found = show_trends(core, project, 30)
    assert [(one.name, one.flaky, one.failed, one.total) for one in found.flakiest] == [("e2e", 2, 2, 4)]
    assert [one.name for one in found.slowest] == ["e2e", "lint"]
    assert found.slowest[1].failure_rate == 100


def test_only_the_newest_are_counted_and_the_page_can_say_so(core, noon, monkeypatch):
    monkeypatch.setattr(trends, "MOST_PIPELINES", 2)
    project = make_project(core)
    for hours in (1, 2, 48):
        moment = noon - timedelta(hours=hours)
        make_pipeline(core, project, status="success", started_at=moment, finished_at=moment)
    found = show_trends(core, project, 7)
    assert found.truncated
    assert [day.total for day in found.pipelines][-3:] == [0, 0, 2]


MANY = """
    WITH RECURSIVE numbers (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM numbers WHERE n < 3000)
    INSERT INTO {table} ({columns}) SELECT {values} FROM {table}, numbers WHERE {table}.id = 1
"""


def _copies(core, table, number):
    """Three thousand more rows like the first one of `table`, whatever columns it has."""
    names = [column.name for column in db.metadata.tables[table].columns if column.name not in ("id", "token_hash")]
    quoted = ", ".join(f'"{name}"' for name in names)
    values = ", ".join("n" if name == number else f'{table}."{name}"' for name in names)
    core.session.execute(text(MANY.format(table=table, columns=quoted, values=values)))


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_however_many_rows_there_are_each_statement_reads_its_index_alone(core, noon):
    """Of thousands of old jobs and pipelines none is looked at: the windows are ranges of two indexes."""
    project = make_project(core)
    long_ago = noon - timedelta(days=400)
    pipeline = make_pipeline(core, project, status="success", started_at=long_ago, finished_at=long_ago)
    ended_job(core, pipeline, long_ago, 5)
    _copies(core, "pipelines", "iid")
    _copies(core, "jobs", "attempt")
    core.session.commit()
    for _ in range(3):
        recent = make_pipeline(core, project, status="success", started_at=noon, finished_at=noon)
        ended_job(core, recent, noon, 5)
    core.session.execute(text("ANALYZE"))
    core.session.commit()
    plans = _plans(core, lambda: show_trends(core, project, 90))
    assert len(plans) == 4
    on_sqlite = db.engine.dialect.name == "sqlite"
    for plan in plans:
        assert "ix_pipelines_ended" in plan or "ix_jobs_ended" in plan, plan
        assert "SCAN jobs" not in plan, plan
        assert "SCAN pipelines" not in plan, plan
        assert "Seq Scan" not in plan, plan
        assert not on_sqlite or "COVERING INDEX" in plan, plan


def _plans(core, work):
    """How the database goes about each statement of `work`."""
    seen = []

    def note(_connection, _cursor, statement, values, *_rest):
        if "row_number" in statement.lower() or "HAVING" in statement:
            seen.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN"
    connection = core.session.connection()
    return [
        "\n".join(str(tuple(row)) for row in connection.exec_driver_sql(f"{explain} {one}", values))
        for one, values in seen
    ]
