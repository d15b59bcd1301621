"""A job's JSON is the union of the API's shape of 2017 and today's."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.gitlab_v4.shapes import differences
from tests.factories import make_manager, make_runner
from tests.support.gitlab import Api
from tests.support.place import Place, zipped

HERE = Path(__file__).parent
SEED = json.loads((HERE / "seed_job.json").read_text())
TODAY = json.loads((HERE / "job_today.json").read_text())


@pytest.fixture
def full(place: Place) -> int:
    """The id of a failed job that has everything a job can have."""
    runner, _ = make_runner(place.core, creator=place.users["admin"])
    manager = make_manager(place.core, runner)
    start = place.core.now() - timedelta(seconds=90)
    job = place.job(
        name="teaspoon",
        status="failed",
        failure_reason="script_failure",
        runner_id=runner.id,
        runner_manager_id=manager.id,
        tags=["ubuntu18", "docker runner"],
        coverage=92.5,
        queued_at=start,
        started_at=start + timedelta(seconds=1.25),
        finished_at=start + timedelta(seconds=2.0005),
    )
    place.archive(job, zipped({"a": b"1"}))
    place.log(job, b"hello\n")
    return job.id


@pytest.mark.parametrize("shape", [SEED, TODAY], ids=["2017", "today"])
def test_a_job_has_every_key_in_its_type(api: Api, full: int, shape: dict) -> None:
    assert differences(api.get(f"/projects/1/jobs/{full}").json, shape) == []


@pytest.mark.parametrize("path", ["/projects/1/jobs", "/projects/1/pipelines/1/jobs", "/projects/1/pipeline/1/jobs"])
def test_lists_show_jobs_as_one_by_one(api: Api, full: int, path: str) -> None:
    assert api.get(path).json == [api.get(f"/projects/1/jobs/{full}").json]


def test_a_job_without_anything_says_null(api: Api, place: Place) -> None:
    job = place.job(status="created", queued_at=None, user_id=None)
    place.set(job, user_id=None)
    shown = api.get(f"/projects/1/jobs/{job.id}").json
    assert "failure_reason" not in shown
    assert shown["artifacts"] == []
    assert {key for key, value in shown.items() if value is None} == {
        "artifacts_expire_at",
        "artifacts_file",
        "coverage",
        "download_url",
        "duration",
        "erased_at",
        "finished_at",
        "queued_duration",
        "runner",
        "runner_manager",
        "started_at",
        "user",
    }


def test_values_are_those_of_the_rows(api: Api, place: Place, full: int) -> None:
    shown = api.get(f"/projects/1/jobs/{full}").json
    assert (shown["duration"], shown["queued_duration"], shown["coverage"]) == (0.75, 1.25, 92.5)
    assert shown["tag_list"] == ["docker runner", "ubuntu18"]
    assert shown["user"]["username"] == "developer"
    assert shown["web_url"] == f"http://127.0.0.1:8000/acme/rocket/-/jobs/{full}"
    size = len(zipped({"a": b"1"}))
    assert shown["artifacts_file"] == {"filename": "artifacts.zip", "size": size}
    assert shown["download_url"] == f"http://127.0.0.1:8000/api/v4/projects/1/jobs/{full}/artifacts"
    assert shown["artifacts"] == [
        {"file_type": "archive", "size": size, "filename": "artifacts.zip", "file_format": "zip"},
        {"file_type": "trace", "size": 6, "filename": "job.log", "file_format": "raw"},
    ]


def test_an_expired_archive_is_no_artifacts_file(api: Api, place: Place) -> None:
    job = place.job(status="success")
    place.archive(job, zipped({"a": b"1"}), expire_at=place.core.now() - timedelta(seconds=1))
    shown = api.get(f"/projects/1/jobs/{job.id}").json
    assert shown["artifacts_file"] is None
    assert shown["download_url"] is None


def test_a_running_job_has_a_growing_duration(api: Api, place: Place) -> None:
    job = place.job(status="running", started_at=place.core.now() - timedelta(seconds=30))
    assert 30 <= api.get(f"/projects/1/jobs/{job.id}").json["duration"] < 60


def test_a_runner_is_active_while_it_has_a_job(api: Api, place: Place) -> None:
    runner, _ = make_runner(place.core)
    manager = make_manager(place.core, runner)
    ids = {"runner_id": runner.id, "runner_manager_id": manager.id}
    job = place.job(status="running", **ids)
    shown = api.get(f"/projects/1/jobs/{job.id}").json
    assert shown["runner"]["job_execution_status"] == shown["runner_manager"]["job_execution_status"] == "active"
    place.set(job, status="success")
    shown = api.get(f"/projects/1/jobs/{job.id}").json
    assert shown["runner"]["job_execution_status"] == shown["runner_manager"]["job_execution_status"] == "idle"
