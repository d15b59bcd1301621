"""The tests of a pipeline, in both shapes of gitlab.md B.4, on both databases."""

import pytest

from app.domain.junit import Case
from app.models import Job, write
from app.services.reports.read_report import ReadReport, keep_report
from tests.databases import BOTH
from tests.support.gitlab import Api
from tests.support.place import Place

pytestmark = pytest.mark.parametrize("database", BOTH, indirect=True)

ZERO = {"total_count": 0, "success_count": 0, "failed_count": 0, "skipped_count": 0, "error_count": 0}


def keep(place: Place, job: Job, *cases: Case, problem: str | None = None) -> int:
    job_id = job.id
    with write(place.core.session):
        keep_report(place.core, place.core.session.get_one(Job, job_id), ReadReport("junit", {}, cases, problem))
    return job_id


def test_the_report_has_every_case(api: Api, place: Place) -> None:
    good = Case("s", "c", "good", "", 1.5, system_output="printed")
    bad = Case("s", "c", "bad", "f.py", 0.5, "failed", "trace", "printed")
    keep(place, place.job(name="unit"), good, bad)
    answer = api.get(f"/projects/1/pipelines/{place.pipeline.id}/test_report")
    assert answer.status_code == 200
    figures = {"total_time": 2.0, "total_count": 2, "success_count": 1, "failed_count": 1} | {
        "skipped_count": 0,
        "error_count": 0,
    }
    blank = {"stack_trace": None, "recent_failures": None, "attachment_url": None}
    assert answer.json == figures | {
        "test_suites": [
            {"name": "unit", "suite_error": None}
            | figures
            | {
                "test_cases": [
                    {"status": "failed", "name": "bad", "classname": "c", "file": "f.py", "execution_time": 0.5}
                    | {"system_output": "trace"}
                    | blank,
                    {"status": "success", "name": "good", "classname": "c", "file": None, "execution_time": 1.5}
                    | {"system_output": "printed"}
                    | blank,
                ]
            }
        ]
    }


def test_the_summary_has_the_jobs_of_each_suite(api: Api, place: Place) -> None:
    first = keep(place, place.job(name="unit 1/2"), Case(name="a", seconds=1.0), Case(name="b", status="skipped"))
    second = keep(place, place.job(name="unit 2/2"), Case(name="c", status="error"))
    broken = keep(place, place.job(name="lint"), problem="JUnit XML parsing failed: syntax error: line 1")
    keep(place, place.job(name="old", retried=True), Case(name="old"))
    answer = api.get(f"/projects/1/pipelines/{place.pipeline.id}/test_report_summary").json
    assert answer["total"] == {"time": 1.0, "count": 3, "success": 1, "failed": 0, "skipped": 1, "error": 1} | {
        "suite_error": None
    }
    unit, lint = answer["test_suites"]
    assert (unit["name"], unit["build_ids"], unit["suite_error"]) == ("unit", [first, second], None)
    assert (unit["total_count"], unit["success_count"], unit["skipped_count"], unit["error_count"]) == (3, 1, 1, 1)
    assert lint == {"name": "lint", "total_time": 0, "build_ids": [broken]} | ZERO | {
        "suite_error": "JUnit XML parsing failed: syntax error: line 1"
    }


def test_a_pipeline_without_reports_has_no_suites(api: Api, place: Place) -> None:
    path = f"/projects/1/pipelines/{place.pipeline.id}/test_report"
    assert api.get(path).json == {"total_time": 0} | ZERO | {"test_suites": []}
    assert api.get(f"{path}_summary").json["test_suites"] == []
    assert api.get("/projects/1/pipelines/999/test_report").status_code == 404
