"""Pipelines, their configuration, and who may see and use them (candor.md A.2, A.3)."""

from typing import Any

import pytest

from app.models import Pipeline, write
from tests.contract.candor.conftest import PLAN, Site
from tests.databases import BOTH


def test_a_pipeline_that_never_ran_has_no_result_in_the_list(site: Site) -> None:
    listed = site.client("demouser").get("/api/pipelines").json
    assert {"id": site.id, "name": "Runner Code Quality"} in listed


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_the_list_shows_the_newest_result(site: Site) -> None:
    site.trigger()
    run = site.finish("failed", (("failed", 7, b""), ("skipped", None, b"")), "script_failure")
    (entry,) = [one for one in site.client("demouser").get("/api/pipelines").json if one["id"] == site.id]
    assert run.finished_at
    assert entry == {
        "id": site.id,
        "name": "Runner Code Quality",
        "status": "Failed",
        "stages": ["Failed", "Skipped"],
        "lastFailure": round(run.finished_at.timestamp() * 1000),
    }


def test_an_error_is_neither_a_success_nor_a_failure(site: Site) -> None:
    site.trigger()
    site.finish("failed", (("skipped", None, b""), ("skipped", None, b"")), "image_pull_failure")
    (entry,) = [one for one in site.client("demouser").get("/api/pipelines").json if one["id"] == site.id]
    assert entry == {"id": site.id, "name": "Runner Code Quality", "status": "Error", "stages": []}


def test_a_pipeline_is_shown_as_in_the_reference(site: Site) -> None:
    site.trigger()
    run = site.finish(files={"dist/app.tgz": b"1"})
    shown = site.client("demouser").get(f"/api/pipelines/{site.id}").json
    assert run.finished_at
    finish = round(run.finished_at.timestamp() * 1000)
    assert shown == {
        "assigned": True,
        "id": site.id,
        "name": "Runner Code Quality",
        "running": False,
        "public": False,
        "lastRuns": [
            {
                "id": f"{run.id:08x}",
                "start": finish - 30_000,
                "finish": finish,
                "status": "Passed",
                "stages": [
                    {"name": "Clone", "status": "Passed", "exitCode": 0},
                    {"name": "Test", "status": "Passed", "exitCode": 0},
                ],
                "archived": ["app.tgz"],
            }
        ],
        "trigger": site.token,
        "assignees": ["demouser"],
        "requiredParameters": ["sha", "who"],
    }
    assert len(site.token) == 32


@pytest.mark.parametrize(
    ("reason", "steps", "status", "stages"),
    [
        ("script_failure", (("failed", 2, b""), ("skipped", None, b"")), "Failed", [("Failed", 2), ("Skipped", -1)]),
        ("job_execution_timeout", (("failed", None, b""), ("skipped", None, b"")), "Failed",
         [("Failed", -3), ("Skipped", -1)]),
        ("runner_configuration_error", (("success", 0, b""), ("failed", None, b"")), "Error",
         [("Passed", 0), ("Error", -2)]),
        ("runner_system_failure", (("success", 0, b""), ("failed", None, b"")), "Error",
         [("Passed", 0), ("Error", -1)]),
        ("unmet_prerequisites", (("success", 0, b""), ("success", 0, b"")), "Error", []),
        ("no_matching_runner", (("skipped", None, b""), ("skipped", None, b"")), "Failed", [("Failed", -1)]),
    ],
)  # fmt: skip
def test_every_end_has_its_word_and_exit_code(site: Site, reason: str, steps: Any, status: str, stages: Any) -> None:
    site.trigger()
    site.finish("failed", steps, reason)
    (run,) = site.client("demouser").get(f"/api/pipelines/{site.id}").json["lastRuns"]
    assert run["status"] == status
    assert [(stage["status"], stage["exitCode"]) for stage in run["stages"]] == stages
    assert run["archived"] == []


def test_a_pipeline_runs_until_its_run_has_ended_and_five_are_shown(site: Site) -> None:
    client = site.client("demouser")
    for _ in range(6):
        site.trigger()
        site.finish()
    site.trigger()
    shown = client.get(f"/api/pipelines/{site.id}").json
    assert shown["running"] is True
    assert [run["id"] for run in shown["lastRuns"]] == [f"{run.id:08x}" for run in site.runs()[5:0:-1]]


PRIVATE = ("/api/pipelines/{id}", "/api/runs/{id}/last/log", "/api/runs/{id}/last/archive?file=a")


@pytest.mark.parametrize("path", PRIVATE)
@pytest.mark.parametrize("name", [None, "stranger"])
def test_a_private_pipeline_is_403_for_all_others(site: Site, path: str, name: str | None) -> None:
    answer = site.client(name).get(path.format(id=site.id))
    assert (answer.status_code, answer.text) == (403, "Forbidden")
    assert all(entry["id"] != site.id for entry in site.client(name).get("/api/pipelines").json)


@pytest.mark.parametrize("path", [*PRIVATE, "/api/pipelines/{id}/config"])
@pytest.mark.parametrize("number", ["999", "0", "-1", "x", "99999999999999999999", "9223372036854775808"])
def test_an_unknown_pipeline_is_404(site: Site, path: str, number: str) -> None:
    answer = site.client("demouser").get(path.format(id=number))
    assert (answer.status_code, answer.text) == (404, "Not Found")


def test_a_public_pipeline_shows_its_runs_and_hides_its_trigger(site: Site) -> None:
    site.publish()
    site.trigger()
    site.finish(files={"dist/app.tgz": b"1"})
    client = site.client()
    shown = client.get(f"/api/pipelines/{site.id}").json
    assert (shown["assigned"], shown["public"], shown["trigger"]) == (False, True, "hidden")
    assert client.get(f"/api/runs/{site.id}/last/log").status_code == 200
    assert client.get(f"/api/runs/{site.id}/last/archive?file=app.tgz", buffered=True).status_code == 200
    for call in (client.get, client.post):
        assert call(f"/api/pipelines/{site.id}/config").status_code == 403


def test_a_log_that_shows_every_variable_is_for_assignees_alone(site: Site) -> None:
    site.publish()
    site.trigger()
    with write(site.core.session):
        job = site.job()
        job.plan = {**job.plan, "variables": [{"key": "CI_DEBUG_TRACE", "value": "true"}]}
    assert site.client().get(f"/api/runs/{site.id}/last/log").status_code == 404
    assert site.client("demouser").get(f"/api/runs/{site.id}/last/log").status_code == 200


def test_a_configuration_is_read_and_replaced_whole(site: Site) -> None:
    client, path = site.client("demouser"), f"/api/pipelines/{site.id}/config"
    assert client.get(path).json == PLAN
    new = {"stages": [{"name": "ä", "image": "b", "runtime": None}], "constrainBody": {".x": [1]}}
    assert client.post(path, json=new).json == {"valid": True}
    assert client.get(path).json == new


@pytest.mark.parametrize(
    "body",
    [
        {}, [], {"stages": None}, {"stages": [], "more": 1}, {"stages": [{"name": "a"}]},
        {"stages": [{"name": "a", "image": "b", "x": 1}]}, {"stages": [], "archive": ["../x"]},
        {"stages": [], "archive": "x"}, {"stages": [], "parameters": {"a1": ".x"}},
        {"stages": [], "constrainHeaders": {"A": 1}}, {"stages": [{"name": "a", "image": "b", "script": "x"}]},
    ],
)  # fmt: skip
def test_a_configuration_that_breaks_the_schema_is_not_saved(site: Site, body: Any) -> None:
    client, path = site.client("demouser"), f"/api/pipelines/{site.id}/config"
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json) == (200, {"valid": False})
    assert client.get(path).json == PLAN


def test_a_body_that_is_no_json_is_400(site: Site) -> None:
    path = f"/api/pipelines/{site.id}/config"
    assert site.client("demouser").post(path, data="{", content_type="application/json").status_code == 400


def test_the_projects_own_pipeline_is_listed_by_its_path_and_has_no_plan(site: Site) -> None:
    client = site.client(site.developer())
    (default,) = [one for one in client.get("/api/pipelines").json if one["name"] == "ci/rocket"]
    assert client.get(f"/api/pipelines/{default['id']}").json["trigger"] == "hidden"
    assert client.get(f"/api/pipelines/{default['id']}/config").status_code == 404
    assert client.post(f"/api/pipelines/{default['id']}/config", json={"stages": []}).status_code == 400


def test_runs_of_other_pipelines_are_not_mixed_in(site: Site) -> None:
    site.trigger()
    site.finish()
    client = site.client(site.developer())
    (default,) = [one for one in client.get("/api/pipelines").json if one["name"] == "ci/rocket"]
    assert set(default) == {"id", "name"}
    run = site.core.session.query(Pipeline).one()
    assert client.get(f"/api/runs/{default['id']}/{run.id:08x}/log").status_code == 404
