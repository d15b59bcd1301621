"""Cancel, retry, play, erase."""

import pytest

from app.models import Job
from tests.contract.gitlab_v4.shapes import differences
from tests.contract.gitlab_v4.test_job_entity import SEED
from tests.factories import make_manager, make_runner
from tests.support.gitlab import Api
from tests.support.place import Place, zipped


def test_canceling_a_pending_job(api: Api, place: Place) -> None:
    job = place.job()
    response = api.post(f"/projects/1/jobs/{job.id}/cancel")
    assert (response.status_code, response.json["id"], response.json["status"]) == (201, job.id, "canceled")


def test_canceling_a_job_whose_runner_stops_gracefully(api: Api, place: Place) -> None:
    runner, _ = make_runner(place.core)
    manager = make_manager(place.core, runner, features={"cancel_gracefully": True})
    job = place.job(status="running", runner_id=runner.id, runner_manager_id=manager.id)
    assert api.post(f"/projects/1/jobs/{job.id}/cancel").json["status"] == "canceling"
    assert api.post(f"/projects/1/jobs/{job.id}/cancel").json["status"] == "canceling"
    forced = api.post(f"/projects/1/jobs/{job.id}/cancel", json={"force": True})
    assert (forced.status_code, forced.json["status"]) == (201, "canceled")


def test_canceling_a_job_that_ended_changes_nothing(api: Api, place: Place) -> None:
    job = place.job(status="success")
    response = api.post(f"/projects/1/jobs/{job.id}/cancel")
    assert (response.status_code, response.json["status"]) == (201, "success")


def test_retrying_makes_a_new_job(api: Api, place: Place) -> None:
    job = place.job(name="lint", status="failed", failure_reason="script_failure")
    response = api.post(f"/projects/1/jobs/{job.id}/retry")
    assert response.status_code == 201
    assert response.json["id"] != job.id
    assert (response.json["name"], response.json["status"]) == ("lint", "pending")
    assert response.json["user"]["username"] == "maintainer"
    again = api.post(f"/projects/1/jobs/{job.id}/retry")
    assert (again.status_code, again.json) == (403, {"message": "403 Forbidden - Job is not retryable"})


@pytest.mark.parametrize("status", ["created", "pending", "running", "manual", "skipped"])
def test_a_job_that_has_not_ended_is_not_retried(api: Api, place: Place, status: str) -> None:
    assert api.post(f"/projects/1/jobs/{place.job(status=status).id}/retry").status_code == 403


def test_playing_a_manual_job(api: Api, place: Place) -> None:
    job = place.job(status="manual", when="manual", queued_at=None)
    given = {"job_variables_attributes": [{"key": "TARGET", "value": "moon"}, {"key": "N", "value": 5}]}
    response = api.post(f"/projects/1/jobs/{job.id}/play", json=given)
    assert (response.status_code, response.json["id"], response.json["status"]) == (200, job.id, "pending")
    kept = place.core.session.get_one(Job, job.id)
    opened = place.core.box.open(kept.variables_sealed, kept.seal_context)
    assert '"TARGET"' in opened
    assert '"moon"' in opened
    assert '"5"' in opened


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ([{"key": "A"}], "job_variables_attributes[0][value] is missing"),
        ([{"key": "A", "value": ""}, {"value": ""}], "job_variables_attributes[1][key] is missing"),
        ([{"key": "A B", "value": ""}], "job_variables_attributes[0][key] is invalid"),
        ("A=B", "job_variables_attributes is invalid"),
    ],
)
def test_variables_that_make_no_sense_are_refused(api: Api, place: Place, given: object, error: str) -> None:
    job = place.job(status="manual", when="manual")
    response = api.post(f"/projects/1/jobs/{job.id}/play", json={"job_variables_attributes": given})
    assert (response.status_code, response.json) == (400, {"error": error})
    assert place.core.session.get_one(Job, job.id).status == "manual"


def test_a_job_that_starts_by_itself_is_not_played(api: Api, place: Place) -> None:
    response = api.post(f"/projects/1/jobs/{place.job(status='failed').id}/play")
    assert (response.status_code, response.json) == (400, {"message": "400 Bad request - Unplayable Job"})


def test_erasing_removes_log_and_artifacts(api: Api, place: Place) -> None:
    job = place.job(status="failed")
    place.log(job, b"log")
    place.archive(job, zipped({"a": b"1"}))
    response = api.post(f"/projects/1/jobs/{job.id}/erase")
    assert response.status_code == 201
    assert response.json["erased_at"] is not None
    assert (response.json["artifacts"], response.json["artifacts_file"], response.json["download_url"]) == (
        [],
        None,
        None,
    )
    assert api.get(f"/projects/1/jobs/{job.id}/trace").data == b""
    assert api.get(f"/projects/1/jobs/{job.id}/artifacts").status_code == 404
    again = api.post(f"/projects/1/jobs/{job.id}/erase")
    assert (again.status_code, again.json) == (403, {"message": "403 Forbidden - Job is not erasable!"})


def test_developers_erase_their_own_jobs_only(api: Api, place: Place) -> None:
    token = place.tokens["developer"]
    own, other = place.job(status="failed"), place.job(status="failed")
    place.set(other, user_id=place.users["owner"].id)
    for job in (own, other):
        place.log(job, b"log")
    assert api.post(f"/projects/1/jobs/{other.id}/erase", token=token).status_code == 403
    assert api.post(f"/projects/1/jobs/{own.id}/erase", token=token).status_code == 201


@pytest.mark.parametrize("action", ["cancel", "retry", "erase", "artifacts/keep"])
def test_every_action_answers_with_the_seeds_shape(api: Api, place: Place, action: str) -> None:
    job = place.job(status="failed")
    place.log(job, b"log")
    place.archive(job, zipped({"a": b"1"}))
    shown = api.post(f"/projects/1/jobs/{job.id}/{action}").json
    shape = SEED if shown["artifacts_file"] else {**SEED, "artifacts_file": "object?"}
    assert differences(shown, shape) == []


@pytest.mark.parametrize("action", ["cancel", "retry", "erase", "play", "artifacts/keep"])
def test_a_job_of_another_project_is_not_there(api: Api, place: Place, action: str) -> None:
    job = place.job(status="failed")
    api.post("/projects", json={"path": "other"})
    response = api.post(f"/projects/2/jobs/{job.id}/{action}")
    assert (response.status_code, response.json["message"].lower()) == (404, "404 not found")


def test_a_job_is_played_and_retried_with_values_of_its_inputs(api: Api, place: Place) -> None:
    job = place.job(status="manual", when="manual", queued_at=None)
    declared = [{"name": "target", "value": '"moon"'}, {"name": "count", "value": "1", "kind": "number"}]
    job.plan = {**job.plan, "inputs": declared}
    place.core.session.commit()
    path = f"/projects/1/jobs/{job.id}"
    refused = api.post(f"{path}/play", json={"job_inputs": {"count": "many"}})
    said = "400 Bad request - `count` input: provided value is not a number"
    assert (refused.status_code, refused.json) == (400, {"message": said})
    unknown = api.post(f"{path}/play", json={"job_inputs": {"planet": "x"}})
    assert unknown.json == {"message": "400 Bad request - Unknown input: planet"}
    assert place.core.session.get_one(Job, job.id).status == "manual"
    assert api.post(f"{path}/play", json={"job_inputs": {"target": "mars", "count": 2}}).status_code == 200
    kept = place.core.session.get_one(Job, job.id)
    assert [item["value"] for item in kept.plan["inputs"]] == ['"mars"', "2"]
    kept.status = "failed"
    place.core.session.commit()
    again = api.post(f"{path}/retry", json={"job_inputs": {"count": 3}})
    fresh = place.core.session.get_one(Job, again.json["id"])
    assert [item["value"] for item in fresh.plan["inputs"]] == ['"mars"', "3"]
    assert [item["value"] for item in place.core.session.get_one(Job, job.id).plan["inputs"]] == ['"mars"', "2"]
