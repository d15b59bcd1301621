"""Statuses of commits: what other systems report counts beside the jobs that run here (gitlab.md B.10)."""

from pathlib import Path

import pytest

from app.models import Pipeline
from tests.git_client import Checkout, new_checkout
from tests.support.gitlab import Api
from tests.support.place import Place


@pytest.fixture
def sha(place: Place, tmp_path: Path) -> str:
    """The newest commit of `main`."""
    checkout: Checkout = new_checkout(tmp_path / "checkout", str(place.core.repositories.path(place.project.id)))
    assert checkout.push("main").ok
    return checkout.git("rev-parse", "HEAD")


def report(api: Api, sha: str, state: str, **given: object) -> dict:
    response = api.post(f"/projects/1/statuses/{sha}", json={"state": state, **given})
    assert response.status_code == 201, response.json
    return response.json


def pipeline_of(place: Place, pipeline_id: int) -> Pipeline:
    place.core.session.rollback()
    return place.core.session.get_one(Pipeline, pipeline_id)


def test_a_first_report_makes_an_external_pipeline(api: Api, place: Place, sha: str) -> None:
    shown = report(api, sha, "pending", context="ci/other", target_url="https://other.example/1", description="Queued")
    assert {key: shown[key] for key in ("sha", "ref", "status", "name", "target_url", "description")} == {
        "sha": sha,
        "ref": "main",
        "status": "pending",
        "name": "ci/other",
        "target_url": "https://other.example/1",
        "description": "Queued",
    }
    assert (shown["author"]["username"], shown["started_at"], shown["coverage"]) == ("maintainer", None, None)
    pipeline = pipeline_of(place, shown["pipeline_id"])
    assert (pipeline.source, pipeline.status, pipeline.sha, pipeline.protected) == ("external", "pending", sha, True)
    running = report(api, sha, "running", name="ci/other")
    assert (running["id"], running["description"]) == (shown["id"], "Queued")
    assert running["started_at"].endswith("Z")
    assert pipeline_of(place, pipeline.id).status == "running"
    report(api, sha, "success", name="ci/second", coverage=87.5)
    assert pipeline_of(place, pipeline.id).status == "running"
    ended = report(api, sha, "failed", name="ci/other")
    assert (ended["id"], ended["finished_at"] is not None) == (shown["id"], True)
    assert pipeline_of(place, pipeline.id).status == "failed"
    assert place.core.session.query(Pipeline).filter_by(sha=sha).count() == 1
    assert api.get(f"/projects/1/repository/commits/{sha}").json["status"] == "failed"


def test_moves_that_cannot_be(api: Api, sha: str) -> None:
    report(api, sha, "pending")
    address = f"/projects/1/statuses/{sha}"
    again = api.post(address, json={"state": "pending"})
    assert again.status_code == 400
    assert again.json["message"].startswith("Cannot transition status via :enqueue from :pending")
    report(api, sha, "running")
    for state, event in (("running", "run"), ("skipped", "skip"), ("pending", "enqueue")):
        refused = api.post(address, json={"state": state})
        assert refused.json["message"] == (
            f'Cannot transition status via :{event} from :running (Reason(s): Status cannot transition via "{event}")'
        )


def test_what_has_ended_begins_anew(api: Api, place: Place, sha: str) -> None:
    first = report(api, sha, "failed")
    second = report(api, sha, "running")
    assert (second["id"] != first["id"], second["pipeline_id"]) == (True, first["pipeline_id"])
    assert pipeline_of(place, first["pipeline_id"]).status == "running"
    address = f"/projects/1/repository/commits/{sha}/statuses"
    assert [row["id"] for row in api.get(address).json] == [second["id"]]
    assert [row["id"] for row in api.get(f"{address}?all=true&sort=desc").json] == [second["id"], first["id"]]
    assert api.get(f"{address}?name=none").json == []
    assert api.get(f"{address}?stage=external&name=default").json[0]["id"] == second["id"]


def test_reports_and_jobs_of_one_pipeline_count_together(api: Api, place: Place, sha: str) -> None:
    place.set(place.pipeline, sha=sha, ref="main")
    job = place.job(name="build", status="success")
    shown = report(api, sha, "running", name="deploy", pipeline_id=place.pipeline.id)
    assert shown["pipeline_id"] == place.pipeline.id
    rows = {row["name"]: row for row in api.get(f"/projects/1/repository/commits/{sha}/statuses").json}
    assert (rows["build"]["id"], rows["build"]["status"], rows["deploy"]["status"]) == (job.id, "success", "running")
    assert rows["build"]["target_url"].endswith(f"/acme/rocket/-/jobs/{job.id}")
    assert pipeline_of(place, place.pipeline.id).status == "running"
    report(api, sha, "success", name="deploy")
    assert pipeline_of(place, place.pipeline.id).status == "success"
    assert [row["name"] for row in api.get(f"/projects/1/pipelines/{place.pipeline.id}/jobs").json] == ["build"]


def test_canceling_the_pipeline_cancels_what_is_open(api: Api, place: Place, sha: str) -> None:
    shown = report(api, sha, "running")
    assert api.post(f"/projects/1/pipelines/{shown['pipeline_id']}/cancel").json["status"] == "canceled"
    assert api.get(f"/projects/1/repository/commits/{sha}/statuses").json[0]["status"] == "canceled"


def test_what_is_refused(api: Api, place: Place, sha: str) -> None:
    address = f"/projects/1/statuses/{sha}"
    assert api.post(address, json={}).json == {"error": "state is missing"}
    assert api.post(address, json={"state": "manual"}).json == {"error": "state does not have a valid value"}
    assert api.post(address, json={"state": "success", "coverage": "much"}).json == {"error": "coverage is invalid"}
    unknown = api.post(f"/projects/1/statuses/{'a' * 40}", json={"state": "success"})
    assert (unknown.status_code, unknown.json) == (404, {"message": "404 Commit Not Found"})
    elsewhere = api.post(address, json={"state": "success", "ref": "none"})
    assert (elsewhere.status_code, elsewhere.json) == (404, {"message": "404 References for commit Not Found"})
    assert api.post(address, json={"state": "success", "pipeline_id": 77}).status_code == 404
    for name, value in (("target_url", "https://x/" + "y" * 255), ("description", "d" * 256)):
        refused = api.post(address, json={"state": "success", name: value})
        assert (refused.status_code, list(refused.json["message"])) == (400, [name])
    script = api.post(address, json={"state": "success", "target_url": "javascript:alert(1)"})
    blank = api.post(address, json={"state": "success", "name": " "})
    assert blank.json == {"message": {"name": ["can't be blank"]}}
    place.set(place.project, archived=True)
    assert api.post(address, json={"state": "success"}).status_code == 403
    assert script.json == {"message": {"target_url": ["is blocked: Only allowed schemes are http, https"]}}


def test_a_protected_branch_takes_the_right_to_push_there(api: Api, place: Place, sha: str) -> None:
    developer = place.tokens["developer"]
    address = f"/projects/1/statuses/{sha}"
    assert api.post(address, json={"state": "success"}, token=developer).status_code == 403
    api.post("/projects/1/repository/branches", json={"branch": "topic", "ref": "main"})
    place.core.session.query(Pipeline).filter_by(sha=sha).delete()
    place.core.session.commit()
    assert api.post(address, json={"state": "success", "ref": "topic"}, token=developer).status_code == 201
    assert api.post(address, json={"state": "success", "ref": "main"}, token=developer).status_code == 403
