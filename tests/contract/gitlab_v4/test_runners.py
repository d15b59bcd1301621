"""Runners, as people manage them."""

from datetime import timedelta

import pytest

from app.models import Runner
from app.services.accounts.authenticate import runner_by_token
from app.services.runners.search_runners import status_of
from tests.contract.gitlab_v4.shapes import differences
from tests.contract.gitlab_v4.test_job_entity import TODAY
from tests.databases import BOTH
from tests.factories import make_manager, make_runner
from tests.support.gitlab import Api
from tests.support.place import Place

pytestmark = pytest.mark.parametrize("database", BOTH, indirect=True)

DETAILS = TODAY["runner"] | {
    "tag_list": "list",
    "run_untagged": "boolean",
    "locked": "boolean",
    "maximum_timeout": "integer?",
    "access_level": "text",
    "version": "text?",
    "revision": "text?",
    "platform": "text?",
    "architecture": "text?",
    "contacted_at": "time?",
    "maintenance_note": "text?",
    "projects": "list",
    "groups": "list",
}


def ids(response) -> list[int]:
    assert response.status_code == 200, response.json
    return [row["id"] for row in response.json]


@pytest.fixture
def three(place: Place) -> dict[str, int]:
    """Ids of a runner of each type."""
    instance, _ = make_runner(place.core, tags=["docker", "linux"], description="shared")
    group, _ = make_runner(place.core, runner_type="group_type", group=place.project.group)
    own, _ = make_runner(place.core, runner_type="project_type", project=place.project, tags=["docker"])
    return {"instance": instance.id, "group": group.id, "project": own.id}


def test_a_runner_has_every_key_in_its_type(api: Api, place: Place, three: dict[str, int]) -> None:
    runner = place.core.session.get_one(Runner, three["project"])
    make_manager(place.core, runner, version="19.1.0", platform="linux", architecture="amd64", revision="abc")
    place.set(runner, contacted_at=place.core.now())
    shown = api.get(f"/runners/{runner.id}").json
    assert differences(shown, DETAILS) == []
    assert (shown["version"], shown["platform"], shown["status"], shown["online"]) == (
        "19.1.0",
        "linux",
        "online",
        True,
    )
    assert shown["projects"][0]["path_with_namespace"] == "acme/rocket"
    managers = api.get(f"/runners/{runner.id}/managers").json
    assert [differences(row, TODAY["runner_manager"]) for row in managers] == [[]]
    assert differences(api.get("/runners").json[0], TODAY["runner"]) == []


@pytest.mark.parametrize(
    ("role", "own", "everything"),
    [
        ("developer", [], 403),
        ("maintainer", ["project"], 403),
        ("owner", ["project", "group"], 403),
        ("admin", ["project", "group", "instance"], 200),
    ],
)
def test_everyone_sees_the_runners_they_manage(
    api: Api, place: Place, three: dict[str, int], role: str, own: list[str], everything: int
) -> None:
    token = place.tokens[role]
    assert ids(api.get("/runners", token=token)) == [three[name] for name in own]
    assert api.get("/runners/all", token=token).status_code == everything
    for name, runner_id in three.items():
        expected = 200 if name in own else 403
        assert api.get(f"/runners/{runner_id}", token=token).status_code == expected


def test_a_project_lists_the_runners_that_may_take_its_jobs(api: Api, place: Place, three: dict[str, int]) -> None:
    assert ids(api.get("/projects/1/runners")) == [three["project"], three["group"], three["instance"]]
    place.set(place.project, instance_runners=False)
    assert ids(api.get("/projects/1/runners")) == [three["project"], three["group"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("type=group_type", ["group"]),
        ("scope=shared", ["instance"]),
        ("scope=specific", ["project"]),
        ("tag_list=docker", ["project", "instance"]),
        ("tag_list=docker,linux", ["instance"]),
        ("tag_list[]=nothing", []),
        ("paused=true", ["group"]),
        ("status=paused", ["group"]),
        ("status=active", ["project", "instance"]),
        ("status=online", ["instance"]),
        ("status=never_contacted", ["project", "group"]),
        ("status=offline", []),
        ("status=stale", []),
    ],
)
def test_filters(api: Api, place: Place, three: dict[str, int], query: str, expected: list[str]) -> None:
    place.set(place.core.session.get_one(Runner, three["group"]), paused=True)
    place.set(place.core.session.get_one(Runner, three["instance"]), contacted_at=place.core.now())
    response = api.get(f"/runners/all?{query}", token=place.tokens["admin"])
    assert ids(response) == [three[name] for name in expected]


@pytest.mark.parametrize(
    ("quiet", "age", "status"),
    [
        (timedelta(minutes=1), timedelta(days=9), "online"),
        (timedelta(hours=3), timedelta(days=9), "offline"),
        (timedelta(days=8), timedelta(days=9), "stale"),
        (None, timedelta(days=1), "never_contacted"),
        (None, timedelta(days=8), "stale"),
    ],
)
def test_how_a_runner_is_and_how_it_is_found(
    api: Api, place: Place, quiet: timedelta | None, age: timedelta, status: str
) -> None:
    runner, _ = make_runner(place.core)
    now = place.core.now()
    contacted = None if quiet is None else now - quiet
    place.set(runner, contacted_at=contacted, created_at=now - age)
    assert status_of(contacted, now - age, now) == status
    for other in ("online", "offline", "stale", "never_contacted"):
        found = ids(api.get(f"/runners/all?status={other}", token=place.tokens["admin"]))
        assert found == ([runner.id] if other == status else [])


def test_making_changing_and_removing_a_runner(api: Api, place: Place) -> None:
    given = {"runner_type": "project_type", "project_id": 1, "tag_list": "b,a", "description": "mine", "locked": True}
    made = api.post("/user/runners", json=given)
    assert made.status_code == 201
    assert set(made.json) == {"id", "token", "token_expires_at"}
    runner_id, token = made.json["id"], made.json["token"]
    assert token.startswith("glrt-")
    assert runner_by_token(place.core, token).id == runner_id
    shown = api.get(f"/runners/{runner_id}").json
    assert (shown["tag_list"], shown["description"], shown["locked"]) == (["a", "b"], "mine", True)
    assert shown["created_by"]["username"] == "maintainer"

    changes = {"paused": True, "tag_list": ["c"], "run_untagged": False, "maximum_timeout": 3600}
    changed = api.put(f"/runners/{runner_id}", json=changes).json
    assert {key: changed[key] for key in changes} == changes
    assert changed["active"] is False
    assert api.put(f"/runners/{runner_id}", data={"active": "true"}).json["paused"] is False

    reset = api.post(f"/runners/{runner_id}/reset_authentication_token")
    assert reset.status_code == 201
    assert runner_by_token(place.core, token) is None
    assert runner_by_token(place.core, reset.json["token"]).id == runner_id

    assert api.delete(f"/runners/{runner_id}").status_code == 204
    assert api.get(f"/runners/{runner_id}").json == {"message": "404 Runner Not Found"}


@pytest.mark.parametrize(
    ("given", "status", "body"),
    [
        ({}, 400, {"error": "runner_type is missing"}),
        ({"runner_type": "x"}, 400, {"error": "runner_type does not have a valid value"}),
        ({"runner_type": "project_type"}, 400, {"error": "project_id is missing"}),
        ({"runner_type": "group_type"}, 400, {"error": "group_id is missing"}),
        ({"runner_type": "instance_type"}, 403, {"message": "403 Forbidden"}),
        ({"runner_type": "group_type", "group_id": 1}, 403, {"message": "403 Forbidden"}),
        ({"runner_type": "group_type", "group_id": 99}, 404, {"message": "404 Group Not Found"}),
        ({"runner_type": "project_type", "project_id": 99}, 404, {"message": "404 Project Not Found"}),
        ({"runner_type": "project_type", "project_id": 1, "run_untagged": False}, 400, None),
        ({"runner_type": "project_type", "project_id": 1, "maximum_timeout": 5}, 400, None),
    ],
)
def test_what_cannot_be_made(api: Api, given: dict, status: int, body: dict | None) -> None:
    response = api.post("/user/runners", json=given)
    assert response.status_code == status
    assert response.json == body if body else "message" in response.json


def test_a_change_that_changes_nothing_is_refused(api: Api, three: dict[str, int]) -> None:
    response = api.put(f"/runners/{three['project']}", json={})
    assert response.status_code == 400
    assert response.json["error"].endswith("at least one parameter must be provided")


def test_the_jobs_of_a_runner(api: Api, place: Place, three: dict[str, int]) -> None:
    jobs = [place.job(status="success", runner_id=three["project"]).id for _ in range(3)]
    place.job(status="success", runner_id=three["instance"])
    path = f"/runners/{three['project']}/jobs"
    assert ids(api.get(path)) == jobs[::-1]
    assert ids(api.get(f"{path}?status=failed")) == []
    page = api.get(f"{path}?pagination=keyset&per_page=2")
    assert (ids(page), page.headers["Link"].endswith('rel="next"')) == (jobs[:0:-1], True)
