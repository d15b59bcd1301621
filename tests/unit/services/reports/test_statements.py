"""What pages of tests and changes ask the database: never for a whole table."""

import re

import pytest
from sqlalchemy import event, text

from app.domain.junit import Case
from app.domain.test_history import case_key
from app.extensions import db
from app.models import Job, Pipeline, write
from app.services.reports.case_history import case_history
from app.services.reports.coverage_of import pipeline_coverage
from app.services.reports.find_cases import Wish, find_cases
from app.services.reports.flaky_tests import flakiest_tests
from app.services.reports.new_errors import new_errors
from app.services.reports.read_report import ReadReport, keep_report
from app.services.reports.what_changed import what_changed
from tests.factories import make_job, make_pipeline, make_project, make_user

pytestmark = pytest.mark.planner

LARGE = re.compile(r"SCAN (?:junit_cases|junit_reports|jobs|pipelines|test_flakes)\b")


def test_every_statement_about_tests_and_changes_finds_its_rows_by_an_index(core):
    """SQLite tells how it goes about each statement: SCAN is a whole table, SEARCH a part of an index."""
    project, user = make_project(core), make_user(core, is_admin=True)
    plans = {}

    def explain(connection, _cursor, statement, values, *_rest):
        if statement.startswith("SELECT"):
            rows = connection.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            plans[statement] = "\n".join(str(row[3]) for row in rows)

    event.listen(db.engine, "before_cursor_execute", explain)
    try:
        for status in ("success", "failed"):
            pipeline = make_pipeline(core, project, sha="a" * 40, status=status)
            job = make_job(core, pipeline, name="unit", status=status, coverage=80.0)
            with write(core.session):
                case = Case(name="one", status=status)
                keep_report(core, core.session.get_one(Job, job.id), ReadReport("junit", {}, [case]))
        pipeline = core.session.get_one(Pipeline, pipeline.id)
        find_cases(core, pipeline, Wish(status="failed", suite="unit", text="o"))
        case_history(core, project, case_key(project.id, "unit", Case(name="one")), "main")
        assert len(flakiest_tests(core, project, pipeline.created_at, 5)) == 1
        assert pipeline_coverage(core, pipeline)[0].change == 0
        assert what_changed(core, pipeline, with_commits=True).green is not None
        assert new_errors(core, pipeline, user)[0].compared is not None
        core.session.execute(text("SELECT exit_code FROM jobs"))
    finally:
        event.remove(db.engine, "before_cursor_execute", explain)
    whole = {statement: plan for statement, plan in plans.items() if LARGE.search(plan)}
    assert len(plans) > 20
    assert list(whole) == ["SELECT exit_code FROM jobs"], whole
