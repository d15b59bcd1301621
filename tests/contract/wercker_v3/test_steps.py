"""Steps of a run, and what each of them printed."""

from collections.abc import Callable
from typing import Any

import pytest

from app.api.wercker_v3.entities.common import step_id
from app.domain.plan import JobPlan, Step
from app.models import Job
from tests.databases import BOTH
from tests.support.place import Place, zipped
from tests.support.wercker import Api, Ids

PLAN = JobPlan(
    name="build",
    stage="build",
    steps=(Step("compile", ("a",)), Step("check", ("b",)), Step("after_script", ("c",), phase="after_script")),
)
LOG = b"preparing\ncompiling\nchecking \xff\nafter\n"


@pytest.fixture
def job(place: Place) -> Job:
    """A job whose second step failed, as our runner reports it."""
    now = place.core.now()
    job = place.job(plan=PLAN, status="failed", started_at=now, finished_at=now)
    place.log(job, LOG)
    for step, status, code, start, end in zip(
        job.steps, ("success", "failed", "success"), (0, 3, 0), (10, 20, 31), (20, 31, 37), strict=True
    ):
        reported = {"started_at": now, "finished_at": now, "exit_code": code, "trace_start": start, "trace_end": end}
        place.set(step, status=status, **reported)
    return job


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_steps_come_by_stage_job_and_position(api: Api, place: Place, ids: Ids, job: Job) -> None:
    place.job(name="late", stage="deploy")
    place.job(name="first", stage=".pre")
    place.job(name="old", stage="build", retried=True)
    steps = api.get(f"/runs/{ids.run}/steps/").json
    assert [(step["order"], step["displayName"], step["phase"]) for step in steps] == [
        (1, "first: script", "mainSteps"),
        (2, "build: compile", "mainSteps"),
        (3, "build: check", "mainSteps"),
        (4, "build: after_script", "finalSteps"),
        (5, "late: script", "mainSteps"),
    ]
    assert [(step["status"], step["result"]) for step in steps] == [
        ("notstarted", "unknown"),
        ("finished", "passed"),
        ("finished", "failed"),
        ("finished", "passed"),
        ("notstarted", "unknown"),
    ]
    assert [step.get("exitCode") for step in steps] == [None, None, 3, None, None]
    assert {"startedAt", "finishedAt"}.isdisjoint(steps[0])
    assert all(api.get(f"/runsteps/{step['id']}").json == step for step in steps)


def test_each_step_has_its_own_piece_of_the_log(api: Api, ids: Ids, job: Job) -> None:
    steps = api.get(f"/runs/{ids.run}/steps").json
    logs = [api.get(step["logUrl"].partition("localhost")[2] or f"/runsteps/{step['id']}/log") for step in steps]
    assert [log.data for log in logs] == [b"compiling\n", b"checking \xff\n", b"after\n"]
    for log in logs:
        assert log.content_type == "text/plain; charset=utf-8"
        assert log.content_length == len(log.data)
        assert log.headers["X-Content-Type-Options"] == "nosniff"


def test_a_step_that_runs_has_its_log_up_to_now(api: Api, place: Place, job: Job) -> None:
    place.set(job.steps[1], status="running", trace_end=None, finished_at=None)
    assert api.get(f"/runsteps/{step_id(job.steps[1])}/log").data == LOG[20:]


def test_a_log_that_was_erased_is_empty(api: Api, place: Place, job: Job) -> None:
    place.core.traces.remove(job.id)
    response = api.get(f"/runsteps/{step_id(job.steps[1])}/log")
    assert (response.status_code, response.data) == (200, b"")


def test_a_stock_runner_tells_no_pieces_so_the_first_step_has_all(api: Api, place: Place, job: Job) -> None:
    for step in job.steps:
        place.set(step, trace_start=None, trace_end=None, started_at=None, finished_at=None)
    logs = [api.get(f"/runsteps/{step_id(step)}/log").data for step in job.steps]
    assert logs == [LOG, b"", b""]
    shown = api.get(f"/runsteps/{step_id(job.steps[0])}").json
    assert shown["startedAt"] <= shown["finishedAt"]


def test_the_last_step_of_a_job_says_where_its_artifacts_are(api: Api, place: Place, ids: Ids, job: Job) -> None:
    place.archive(job, zipped({"a": b"1"}))
    steps = api.get(f"/runs/{ids.run}/steps").json
    assert [step["artifactsUrl"] is None for step in steps] == [True, False, True]
    address = steps[1]["artifactsUrl"].partition("/api/v4")[2]
    assert api.get(f"/api/v4{address}").status_code == 200


def test_debug_logs_are_for_developers(api: Api, place: Place, job: Job) -> None:
    """They print every variable."""
    place.set(job, plan=job.plan | {"variables": [{"key": "CI_DEBUG_TRACE", "value": "true"}]})
    address = f"/runsteps/{step_id(job.steps[0])}/log"
    assert api.get(address, token=place.tokens["reporter"]).status_code == 403
    assert api.get(address, token=place.tokens["developer"]).status_code == 200


def test_steps_need_few_queries_however_many_there_are(
    api: Api, place: Place, ids: Ids, job: Job, queries: Callable[[Callable[[], Any]], int]
) -> None:
    api.get("/tokens")
    few = queries(lambda: api.get(f"/runs/{ids.run}/steps"))
    for _ in range(4):
        place.archive(place.job(plan=PLAN), zipped({"a": b"1"}))
    assert queries(lambda: api.get(f"/runs/{ids.run}/steps")) == few
