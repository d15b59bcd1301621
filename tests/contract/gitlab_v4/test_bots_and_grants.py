"""Access tokens of projects and groups, and whose job tokens count in a project."""

from datetime import timedelta

import pytest

from app.models import Bot, Job, Membership, Project, User
from app.services.accounts import authenticate
from app.services.projects.delete_project import delete_project
from app.services.projects.job_token_scope import admits, grant
from tests.contract.gitlab_v4.shapes import differences
from tests.contract.gitlab_v4.test_users_and_tokens import TOKEN
from tests.databases import BOTH
from tests.factories import make_pipeline, make_project
from tests.support.gitlab import Api
from tests.support.place import Place, zipped

pytestmark = pytest.mark.parametrize("database", BOTH, indirect=True)
PLACE_TOKEN = TOKEN | {"access_level": "integer", "resource_type": "text", "resource_id": "integer"}
BOT = {"name": "deploy", "scopes": ["api"], "access_level": 30, "description": "for the robot"}


def test_a_projects_token_acts_as_a_bot_with_its_role_there_alone(api: Api, place: Place) -> None:
    made = api.post("/projects/1/access_tokens", json=BOT)
    assert made.status_code == 201
    token = made.json["token"]
    assert differences({key: value for key, value in made.json.items() if key != "token"}, PLACE_TOKEN) == []
    assert (made.json["access_level"], made.json["resource_type"], made.json["description"]) == (
        30,
        "project",
        "for the robot",
    )
    bot = api.get("/user", token=token).json
    assert (bot["bot"], bot["id"], bot["name"]) == (True, made.json["user_id"], "deploy")
    assert api.get("/projects/1", token=token).status_code == 200
    assert api.get("/projects/1/variables", token=token).status_code == 403
    other = make_project(place.core, "acme/other", creator=place.users["owner"])
    assert api.get(f"/projects/{other.id}", token=token).status_code == 404
    assert api.post("/groups", token=token, json={"name": "G", "path": "g"}).status_code == 403
    assert api.post("/projects", token=token, json={"name": "own"}).status_code == 403
    assert [row["id"] for row in api.get("/projects/1/access_tokens").json] == [made.json["id"]]
    assert api.get("/personal_access_tokens").json[0]["user_id"] != bot["id"]


def test_a_groups_token_reaches_all_below_it(api: Api, place: Place) -> None:
    owner = place.tokens["owner"]
    made = api.post("/groups/acme/access_tokens", token=owner, json=BOT | {"access_level": 20})
    assert (made.status_code, made.json["resource_type"]) == (201, "group")
    assert api.get("/projects/1/jobs", token=made.json["token"]).status_code == 200
    assert api.get("/projects/1/access_tokens", token=owner).json == []
    assert api.get(f"/projects/1/access_tokens/{made.json['id']}", token=owner).status_code == 404


def test_nobody_gives_a_bot_a_role_above_their_own_and_bots_make_no_tokens(api: Api) -> None:
    assert api.post("/projects/1/access_tokens", json=BOT | {"access_level": 50}).status_code == 403
    assert api.post("/projects/1/access_tokens", json=BOT | {"access_level": 35}).status_code == 400
    token = api.post("/projects/1/access_tokens", json=BOT | {"access_level": 40}).json["token"]
    refused = api.post("/projects/1/access_tokens", token=token, json=BOT)
    assert (refused.status_code, refused.json) == (400, {"message": {"base": ["a bot makes no tokens"]}})


def test_nobody_gets_the_token_of_a_bot_above_them_by_rotating_it(api: Api, place: Place) -> None:
    made = api.post("/projects/1/access_tokens", token=place.tokens["owner"], json=BOT | {"access_level": 50}).json
    address = f"/projects/1/access_tokens/{made['id']}/rotate"
    assert api.post(address).status_code == 403
    assert api.get("/user", token=made["token"]).status_code == 200
    assert api.post(address, token=place.tokens["owner"]).status_code == 200


def test_a_token_is_rotated_and_revoked_and_its_bot_goes_with_the_project(api: Api, place: Place) -> None:
    core = place.core
    made = api.post("/projects/1/access_tokens", json=BOT).json
    fresh = api.post(f"/projects/1/access_tokens/{made['id']}/rotate").json
    assert (fresh["user_id"], fresh["description"]) == (made["user_id"], made["description"])
    assert authenticate.user_by_token(core, made["token"]) is None
    assert authenticate.user_by_token(core, fresh["token"]) is not None
    assert api.post(f"/projects/1/access_tokens/{made['id']}/rotate").status_code == 409
    found = api.get("/projects/1/access_tokens?state=inactive&sort=created_desc").json
    assert [row["id"] for row in found] == [made["id"]]
    later = (core.now() + timedelta(days=1)).isoformat()
    assert api.get("/projects/1/access_tokens", query_string={"created_after": later}).json == []
    assert api.delete(f"/projects/1/access_tokens/{fresh['id']}").status_code == 204
    assert api.get("/user", token=fresh["token"]).status_code == 401
    delete_project(core, core.session.get_one(Project, 1), core.session.get_one(User, place.users["owner"].id))
    assert core.session.get(User, made["user_id"]) is None
    assert core.session.query(Bot).count() == 0


def test_a_bot_is_no_owner_to_leave_a_group_to(api: Api, place: Place) -> None:
    owner = place.tokens["owner"]
    made = api.post("/groups/acme/access_tokens", token=owner, json=BOT | {"access_level": 50})
    assert made.status_code == 201
    assert api.delete(f"/groups/acme/members/{place.users['owner'].id}", token=owner).status_code == 409


def test_a_self_rotating_token_can_do_nothing_else(api: Api) -> None:
    made = api.post("/user/personal_access_tokens", json={"name": "turning", "scopes": ["self_rotate"]}).json
    assert api.get("/user", token=made["token"]).status_code == 403
    assert api.post("/personal_access_tokens/self/rotate", token=made["token"]).status_code == 200
    refused = api.post("/user/personal_access_tokens", json={"name": "more", "scopes": ["api"]})
    assert (refused.status_code, refused.json) == (400, {"error": "scopes does not have a valid value"})


@pytest.fixture
def elsewhere(place: Place) -> Job:
    """A running job of `far/caller`, started by the developer of the place."""
    project = make_project(place.core, "far/caller", creator=place.users["developer"])
    place.pipeline = make_pipeline(place.core, project, user=place.users["developer"])
    job = place.job(status="running")
    place.set(job, user_id=place.users["developer"].id)
    return job


def test_another_projects_job_token_counts_once_it_is_granted(api: Api, place: Place, elsewhere: Job) -> None:
    token = {"JOB-TOKEN": place.job_token(elsewhere)}
    far = elsewhere.project_id

    def reads() -> int:
        return api.get("/projects/1/pipelines", token=None, headers=token).status_code

    assert reads() == 404
    given = api.post("/projects/1/job_token_scope/allowlist", json={"target_project_id": far})
    assert given.status_code == 404, "the maintainer does not know that project"
    owner = place.tokens["admin"]
    given = api.post("/projects/1/job_token_scope/allowlist", token=owner, json={"target_project_id": far})
    assert (given.status_code, given.json) == (201, {"source_project_id": 1, "target_project_id": far})
    again = api.post("/projects/1/job_token_scope/allowlist", token=owner, json={"target_project_id": far})
    assert again.status_code == 400
    assert reads() == 200
    assert [row["id"] for row in api.get("/projects/1/job_token_scope/allowlist").json] == [1, far]
    assert api.delete(f"/projects/1/job_token_scope/allowlist/{far}").status_code == 204
    assert api.delete(f"/projects/1/job_token_scope/allowlist/{far}").status_code == 404
    assert reads() == 404
    assert api.patch("/projects/1/job_token_scope", json={"enabled": False}).status_code == 204
    assert api.get("/projects/1/job_token_scope").json == {"inbound_enabled": False, "outbound_enabled": False}
    assert reads() == 200
    place.set(place.core.session.query(Membership).filter_by(user_id=elsewhere.user_id, project_id=1).one(), role=0)
    assert reads() == 404, "the token has no more rights than the user who started the job"


def test_a_job_token_that_does_not_count_opens_of_a_public_project_what_everyone_may(
    api: Api, place: Place, elsewhere: Job
) -> None:
    place.set(place.project, visibility="public")
    place.pipeline = make_pipeline(place.core, place.project)
    job = place.job(status="success")
    place.set(job, plan={**job.plan, "artifacts": [{"access": "developer"}]})
    place.archive(job, zipped({"a": b"secret"}))
    token = {"JOB-TOKEN": place.job_token(elsewhere)}

    def tries() -> list[int]:
        addresses = (f"/projects/1/pipelines/{job.pipeline_id}", f"/projects/1/jobs/{job.id}/artifacts")
        return [api.get(address, token=None, headers=token).status_code for address in addresses]

    assert tries() == [200, 403]
    grant(place.core, place.project, elsewhere.project)
    assert tries() == [200, 200]


def test_a_granted_group_stands_for_all_projects_below_it(place: Place, elsewhere: Job) -> None:
    core, project = place.core, place.project
    assert not admits(core, elsewhere, project)
    grant(core, project, elsewhere.project.group)
    assert admits(core, elsewhere, project)
    deep = make_project(core, "far/below/deep", creator=place.users["developer"])
    place.pipeline = make_pipeline(core, deep, user=place.users["developer"])
    assert admits(core, place.job(status="running"), project)
    outside = make_project(core, "other/outside", creator=place.users["developer"])
    place.pipeline = make_pipeline(core, outside, user=place.users["developer"])
    assert not admits(core, place.job(status="running"), project)
