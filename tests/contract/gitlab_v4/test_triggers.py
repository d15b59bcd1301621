"""Trigger tokens, pipelines started with one, and trigger jobs in the API (gitlab.md B.2, B.5)."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from app import crypto
from app.domain.plan import JobPlan, Trigger
from app.models import Membership, Pipeline, PipelineLink, PipelineTrigger, ProtectedRef, write
from app.services.pipelines.search_pipelines import given_variables
from app.services.pipelines.triggers import add_trigger
from app.services.pipelines.variables import job_variables
from app.services.projects.job_token_scope import grant
from tests.databases import BOTH
from tests.factories import make_pipeline, make_project
from tests.git_client import new_checkout
from tests.support.gitlab import Api
from tests.support.place import Place

pytestmark = pytest.mark.parametrize("database", BOTH, indirect=True)

CONFIGURATION = "spec: {inputs: {who: {default: all}}}\n---\nhello $[[ inputs.who ]]: {script: echo}\n"


@pytest.fixture
def hosted(place: Place, tmp_path: Path) -> Place:
    """The project with a commit on main, and one on a branch whose name has a slash."""
    repository = str(place.core.repositories.path(place.project.id))
    checkout = new_checkout(tmp_path / "checkout", repository, {".gitlab-ci.yml": CONFIGURATION})
    assert checkout.push("main", "HEAD:refs/heads/feature/a").ok
    return place


@pytest.fixture
def token(hosted: Place) -> str:
    """A trigger's token, its owner the maintainer."""
    made = add_trigger(hosted.core, hosted.project, hosted.users["maintainer"], "from outside")
    return hosted.core.box.open(made.token_sealed, made.seal_context)


def newest(place: Place) -> Pipeline:
    place.core.session.rollback()
    return place.core.session.query(Pipeline).order_by(Pipeline.id.desc()).first()


def test_a_trigger_is_made_shown_changed_and_removed(api: Api, place: Place) -> None:
    made = api.post("/projects/1/triggers", json={"description": "nightly"})
    assert made.status_code == 201
    token = made.json["token"]
    assert token.startswith("glptt-")
    assert made.json == {
        "id": 1,
        "description": "nightly",
        "token": token,
        "created_at": made.json["created_at"],
        "updated_at": made.json["created_at"],
        "deleted_at": None,
        "last_used": None,
        "expires_at": None,
        "owner": made.json["owner"],
    }
    assert made.json["owner"]["username"] == "maintainer"
    assert api.get("/projects/1/triggers/1").json == made.json
    others = api.get("/projects/1/triggers", token=place.tokens["owner"]).json
    assert [one["token"] for one in others] == [token.removeprefix("glptt-")[:4]]
    assert api.put("/projects/1/triggers/1", json={"description": "daily"}).json["description"] == "daily"
    assert api.put("/projects/1/triggers/1", token=place.tokens["owner"], json={"description": "x"}).status_code == 403
    assert api.delete("/projects/1/triggers/1").status_code == 204
    assert api.get("/projects/1/triggers/1").status_code == 404


def test_only_a_hash_and_a_sealed_copy_of_the_token_are_kept(place: Place, token: str) -> None:
    row = place.core.session.query(PipelineTrigger).one()
    assert row.token_hash == crypto.token_hash(token)
    assert token not in row.token_sealed


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({}, {"error": "description is missing"}),
        ({"description": " "}, {"message": {"description": ["can't be blank"]}}),
        ({"description": "a" * 256}, {"message": {"description": ["is too long (maximum is 255 characters)"]}}),
        ({"description": "a", "expires_at": "2020-01-01"}, {"message": {"expires_at": ["must be in the future"]}}),
    ],
)
def test_a_trigger_that_makes_no_sense_is_refused(api: Api, body: dict[str, str], answer: dict[str, str]) -> None:
    refused = api.post("/projects/1/triggers", json=body)
    assert (refused.status_code, refused.json) == (400, answer)


@pytest.mark.parametrize("address", ["/projects/1", "/projects/acme%2Frocket"])
def test_a_token_alone_starts_a_pipeline(api: Api, hosted: Place, token: str, address: str) -> None:
    body = {"ref": "main", "token": token, "variables": {"A": "b"}, "inputs": {"who": "ada"}, "more": [1]}
    made = api.post(f"{address}/trigger/pipeline", token=None, json=body)
    assert made.status_code == 201
    assert (made.json["source"], made.json["ref"], made.json["user"]["username"]) == ("trigger", "main", "maintainer")
    pipeline = newest(hosted)
    assert [job.name for job in pipeline.jobs] == ["hello ada"]
    of_job = {one.key: one.value for one in job_variables(hosted.core, pipeline.jobs[0], None, "glcbt-x")}
    shown = token.removeprefix("glptt-")[:4]
    assert (of_job["CI_TRIGGER_SHORT_TOKEN"], of_job["CI_PIPELINE_TRIGGERED"]) == (shown, "true")
    given = {one.key: one for one in given_variables(hosted.core, pipeline)}
    assert (given["A"].value, given["TRIGGER_PAYLOAD"].file) == ("b", True)
    payload = json.loads(given["TRIGGER_PAYLOAD"].value)
    assert payload == {"ref": "main", "variables": {"A": "b"}, "inputs": {"who": "ada"}, "more": [1]}
    assert api.get("/projects/1/triggers").json[0]["last_used"] is not None


def test_the_ref_may_stand_in_the_address_and_the_rest_in_a_form(api: Api, hosted: Place, token: str) -> None:
    made = api.post(
        "/projects/1/ref/feature%2Fa/trigger/pipeline", token=None, data={"token": token, "variables[KEY]": "value"}
    )
    assert (made.status_code, made.json["ref"]) == (201, "feature/a")
    assert "KEY" in {one.key for one in given_variables(hosted.core, newest(hosted))}


def test_what_is_wrong_with_a_call_is_said_in_gitlabs_words(api: Api, hosted: Place, token: str) -> None:
    def call(**body: object) -> tuple[int, object]:
        answer = api.post("/projects/1/trigger/pipeline", token=None, json=body)
        return answer.status_code, answer.json

    assert call(ref="main", token="wrong") == (404, {"message": "404 Not Found"})
    assert call(token=token) == (400, {"error": "ref is missing"})
    assert call(ref="", token=token) == (400, {"error": "ref is empty"})
    assert call(ref="main") == (400, {"error": "token is missing"})
    assert call(ref="none", token=token) == (400, {"message": {"base": ["Reference not found"]}})
    assert call(ref="main", token=token, inputs={"nobody": 1})[0] == 400
    odd = (400, {"message": "variables needs to be a map of key-valued strings"})
    assert call(ref="main", token=token, variables={"A": {"b": "c"}}) == odd
    assert call(ref="main", token=token, variables={"A": 1}) == odd
    assert call(ref="main", token=token, variables={"A-B": "1"}) == (400, {"error": "variables[A-B] is invalid"})
    hook = api.post(
        "/projects/1/trigger/pipeline",
        token=None,
        json={"ref": "main", "token": token},
        headers={"X-Gitlab-Event": "Pipeline Hook"},
    )
    assert (hook.status_code, hook.json) == (403, {"message": "403 Forbidden"})


def test_a_token_opens_its_own_project_until_it_expires(api: Api, hosted: Place, token: str) -> None:
    make_project(hosted.core, "other/one", creator=hosted.users["maintainer"])
    body = {"ref": "main", "token": token}
    assert api.post("/projects/2/trigger/pipeline", token=None, json=body).status_code == 404
    row = hosted.core.session.query(PipelineTrigger).one()
    hosted.set(row, expires_at=hosted.core.now() - timedelta(seconds=1))
    assert api.post("/projects/1/trigger/pipeline", token=None, json=body).status_code == 404


@pytest.mark.parametrize("trouble", ["no member", "blocked", "gone", "protected"])
def test_a_trigger_can_do_what_its_owner_can_and_no_more(api: Api, hosted: Place, token: str, trouble: str) -> None:
    session, owner = hosted.core.session, hosted.users["maintainer"]
    with write(session):
        if trouble == "no member":
            session.query(Membership).filter_by(user_id=owner.id).delete()
        elif trouble == "blocked":
            session.get_one(type(owner), owner.id).blocked = True
        elif trouble == "gone":
            session.query(PipelineTrigger).update({"owner_id": None})
        else:
            session.query(ProtectedRef).delete()
            session.add(ProtectedRef(project_id=1, kind="branch", pattern="main", push_role=50))
    refused = api.post("/projects/1/trigger/pipeline", token=None, json={"ref": "main", "token": token})
    assert refused.status_code == 400
    words = "You do not have sufficient permission" if trouble == "protected" else "Insufficient permissions to create"
    assert refused.json["message"]["base"][0].startswith(words)


def test_a_running_jobs_token_starts_a_pipeline_elsewhere(api: Api, hosted: Place) -> None:
    elsewhere = make_project(hosted.core, "other/caller", creator=hosted.users["maintainer"])
    hosted.pipeline = make_pipeline(hosted.core, elsewhere, user=hosted.users["maintainer"])
    job = hosted.job(status="running")
    body = {"ref": "main", "token": hosted.job_token(job)}
    unknown = api.post("/projects/1/trigger/pipeline", token=None, json=body)
    assert (unknown.status_code, unknown.json) == (404, {"message": "404 Project Not Found"})
    grant(hosted.core, hosted.project, elsewhere)
    made = api.post("/projects/1/trigger/pipeline", token=None, json=body)
    assert (made.status_code, made.json["source"]) == (201, "pipeline")
    link = hosted.core.session.get_one(PipelineLink, made.json["id"])
    assert (link.source_job_id, link.source_pipeline_id, link.child) == (job.id, hosted.pipeline.id, False)
    hosted.set(job, status="success")
    ended = api.post("/projects/1/trigger/pipeline", token=None, json=body)
    assert (ended.status_code, ended.json) == (400, {"message": "400 Job has to be running"})


def test_a_jobs_token_says_nothing_of_projects_that_its_user_cannot_see(api: Api, hosted: Place) -> None:
    elsewhere = make_project(hosted.core, "other/caller", creator=hosted.users["stranger"])
    hosted.pipeline = make_pipeline(hosted.core, elsewhere, user=hosted.users["stranger"])
    token = hosted.job_token(hosted.job(status="running"))
    hidden = api.post("/projects/1/trigger/pipeline", token=None, json={"ref": "main", "token": token})
    missing = api.post("/projects/99/trigger/pipeline", token=None, json={"ref": "main", "token": token})
    assert (hidden.status_code, hidden.json) == (missing.status_code, missing.json)
    assert hidden.status_code == 404


def bridge(place: Place, **given: object) -> int:
    plan = JobPlan("start", "test", (), trigger=Trigger(project="acme/rocket"))
    return place.job(plan=plan, bridge=True, **given).id


@pytest.mark.parametrize("address", ["bridges", "trigger_jobs"])
def test_trigger_jobs_are_listed_apart_from_others(api: Api, place: Place, address: str) -> None:
    job_id, plain = bridge(place, status="success"), place.job().id
    below = make_pipeline(place.core, place.project, source="pipeline")
    with write(place.core.session):
        place.core.session.add(
            PipelineLink(
                pipeline_id=below.id,
                source_pipeline_id=place.pipeline.id,
                source_job_id=job_id,
                child=False,
                strategy="",
            )
        )
    (found,) = api.get(f"/projects/1/pipelines/{place.pipeline.id}/{address}").json
    assert (found["id"], found["name"], found["status"]) == (job_id, "start", "success")
    assert found["downstream_pipeline"]["id"] == below.id
    assert not {"artifacts", "runner", "runner_manager", "tag_list"} & set(found)
    assert api.get(f"/projects/1/pipelines/{place.pipeline.id}/{address}?scope=failed").json == []
    for jobs in ("/projects/1/jobs", f"/projects/1/pipelines/{place.pipeline.id}/jobs"):
        assert [one["id"] for one in api.get(jobs).json] == [plain]
    assert api.get(f"/projects/1/jobs/{job_id}").status_code == 404


def test_a_pipeline_that_one_may_not_read_is_not_shown(api: Api, place: Place) -> None:
    secret = make_project(place.core, "other/secret", creator=place.users["stranger"])
    below = make_pipeline(place.core, secret, source="pipeline")
    job_id = bridge(place, status="success")
    with write(place.core.session):
        place.core.session.add(
            PipelineLink(
                pipeline_id=below.id,
                source_pipeline_id=place.pipeline.id,
                source_job_id=job_id,
                child=False,
                strategy="",
            )
        )
    (found,) = api.get(f"/projects/1/pipelines/{place.pipeline.id}/bridges").json
    assert found["downstream_pipeline"] is None


def test_people_play_cancel_and_retry_trigger_jobs(api: Api, place: Place) -> None:
    job_id = bridge(place, status="manual", when="manual")
    played = api.post(f"/projects/1/jobs/{job_id}/play")
    assert (played.status_code, played.json["status"], played.json["downstream_pipeline"]) == (200, "pending", None)
    assert api.post(f"/projects/1/jobs/{job_id}/cancel").json["status"] == "canceled"
    again = api.post(f"/projects/1/jobs/{job_id}/retry")
    assert (again.status_code, again.json["id"] > job_id, again.json["status"]) == (201, True, "pending")
