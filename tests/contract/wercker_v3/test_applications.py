"""Applications, their pipelines and their workflows."""

from collections.abc import Callable
from typing import Any

import pytest

from app.api.wercker_v3.entities.common import id_of
from app.domain.permissions import Role
from app.git.receive import RefUpdate
from app.models import Pipeline
from app.services.repositories.receive_push import finish_push, journal_push
from tests.databases import BOTH
from tests.factories import make_member, make_pipeline, make_project
from tests.git_client import Checkout
from tests.support.place import Place
from tests.support.wercker import Api, Ids

OWNER = {"meta", "userId", "avatar", "name", "type"}
SUMMARY = {"id", "url", "name", "owner", "createdAt", "updatedAt", "privacy", "stack", "theme"}
DETAILED = {
    *("id", "url", "name", "owner", "builds", "deploys", "scm", "badgeKey", "createdAt", "updatedAt"),
    *("allowedActions", "theme", "settings"),
}


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.json
    return [row["name"] for row in response.json]


@pytest.fixture
def more(place: Place) -> None:
    """Two more applications of acme, one of them public, and one of a group below it."""
    owner = place.users["owner"]
    make_project(place.core, "acme/Anvil", creator=owner, visibility="public")
    make_project(place.core, "acme/zip", creator=owner)
    make_project(place.core, "acme/lab/laser", creator=owner, visibility="public")


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_an_owners_applications(api: Api, place: Place, more: None) -> None:
    owner = place.tokens["owner"]
    rows = api.get("/applications/acme", token=owner).json
    assert all(set(row) == SUMMARY and set(row["owner"]) == OWNER for row in rows)
    assert {row["stack"] for row in rows} == {6}
    assert sorted(names(api.get("/applications/ACME/", token=owner))) == ["Anvil", "rocket", "zip"]
    assert names(api.get("/applications/acme?sort=createdAtAsc", token=owner)) == ["rocket", "Anvil", "zip"]
    assert names(api.get("/applications/acme?sort=createdAtDesc&limit=1&skip=1", token=owner)) == ["Anvil"]
    assert names(api.get("/applications/acme?sort=nameDesc&limit=1", token=owner)) == ["zip"]
    assert names(api.get("/applications/acme%2Flab", token=owner)) == ["laser"]
    assert names(api.get("/applications/acme?stack=6", token=owner)) != []
    assert names(api.get("/applications/acme?stack=5", token=owner)) == []
    assert names(api.get("/applications/nobody", token=owner)) == []


def test_a_stranger_sees_what_is_public(api: Api, place: Place, more: None) -> None:
    assert names(api.get("/applications/acme", token=None)) == ["Anvil"]
    assert names(api.get("/applications/acme", token=place.tokens["stranger"])) == ["Anvil"]


def test_one_application(api: Api, place: Place, ids: Ids) -> None:
    found = api.get("/applications/ACME/rocket").json
    assert set(found) == DETAILED
    assert (found["id"], found["name"], found["owner"]["meta"]["username"]) == (ids.application, "rocket", "acme")
    assert found["url"].endswith("/api/v3/applications/acme/rocket")
    assert found["builds"] == found["url"] + "/builds"
    assert len(found["badgeKey"]) == 32
    assert found["scm"] == {"type": "git", "owner": "acme", "domain": found["scm"]["domain"], "repository": "rocket"}
    assert found["settings"] == {"privacy": "private", "stack": 6, "ignoredBranches": []}


def test_the_path_is_split_at_its_last_slash(api: Api, place: Place, more: None) -> None:
    for address in ("/applications/acme%2Flab/laser", "/applications/acme/lab/laser", "/applications/acme/lab/laser/"):
        found = api.get(address).json
        assert (found["owner"]["meta"]["username"], found["name"]) == ("acme/lab", "laser")
        assert found["url"].endswith("/applications/acme%2Flab/laser")
    assert names(api.get("/applications/acme/lab/laser/pipelines")) == ["default"]


def test_what_may_be_done_depends_on_the_role(api: Api, place: Place) -> None:
    def allowed(role: str) -> list[str]:
        return api.get("/applications/acme/rocket", token=place.tokens[role]).json["allowedActions"]

    assert allowed("guest") == []
    assert allowed("developer") == ["build_project", "create_run", "abort_run"]
    assert allowed("maintainer") == ["build_project", "create_run", "abort_run", "edit_project"]


def test_there_are_no_builds_and_deploys_any_more(api: Api) -> None:
    assert api.get("/applications/acme/rocket/builds").json == []
    assert api.get("/applications/acme/rocket/deploys?limit=20").json == []
    assert api.get("/applications/acme/rocket/builds?limit=21").status_code == 400


def push(place: Place, branch: str, commit: str) -> tuple[int, ...]:
    """The pipelines that a push to `branch` makes."""
    update = RefUpdate(f"refs/heads/{branch}", "0" * 40, commit)
    push_id, lock = journal_push(place.core, place.project, place.users["owner"], [update], [])
    with_pipelines = finish_push(place.core, push_id, {update.ref})
    lock.release()
    return tuple(pipeline for pipeline, _ in with_pipelines.pipelines)


def test_pushes_to_ignored_branches_start_nothing(api: Api, place: Place, pushed: Checkout) -> None:
    patterns = ["gh-pages", "wip/*", "*/draft"]
    response = api.patch("/applications/acme/rocket", json={"ignoredBranches": patterns})
    assert response.status_code == 200
    assert set(response.json) == DETAILED - {"allowedActions"}
    assert response.json["settings"]["ignoredBranches"] == patterns
    assert api.get("/applications/acme/rocket").json["settings"]["ignoredBranches"] == patterns
    commit = pushed.git("rev-parse", "HEAD")
    for branch, starts in (("gh-pages", False), ("wip/x", False), ("a/draft", False), ("topic", True)):
        assert pushed.push(f"main:{branch}").ok
        assert (branch, bool(push(place, branch, commit))) == (branch, starts)


@pytest.mark.parametrize("patterns", [["a"] * 11, ["a*"], ["*/*"], [""], "a", [1], ["a b"], ["-x"]])
def test_branches_that_cannot_be_ignored(api: Api, error: Callable[..., Any], patterns: Any) -> None:
    response = api.patch("/applications/acme/rocket", json={"ignoredBranches": patterns})
    assert error(response)[:2] == (400, "Bad Request")
    assert response.json["details"][0]["path"] == "ignoredBranches"


def test_pipelines_are_made_and_shown(api: Api, place: Place, ids: Ids) -> None:
    body = {
        "application": ids.application,
        "name": "deploy",
        "pipelineName": "ci/deploy.yml",
        "type": "git",
        "permissions": "public",
        "setScmProviderStatus": True,
    }
    made = api.post("/pipelines", json=body).json
    keys = {"id", "url", "createdAt", "name", "permissions", "pipelineName", "setScmProviderStatus", "type"}
    assert set(made) == keys
    assert (made["name"], made["pipelineName"], made["type"]) == ("deploy", "ci/deploy.yml", "pipeline")
    assert api.get(f"/pipelines/{made['id']}").json == made
    assert names(api.get("/applications/acme/rocket/pipelines")) == ["default", "deploy"]
    assert names(api.get("/applications/acme/rocket/pipelines?skip=1&limit=1")) == ["deploy"]
    again = api.post("/pipelines", json={"application": ids.application, "name": "deploy"})
    assert (again.status_code, again.json["details"][0]["path"]) == (400, "name")


def test_a_pipeline_runs_its_own_file(api: Api, place: Place, ids: Ids, pushed: Checkout) -> None:
    pushed.commit({"ci/deploy.yml": "ship:\n  script: [ship]\n"})
    assert pushed.push("main").ok
    body = {"application": ids.application, "name": "deploy", "ymlPipeline": "ci/deploy.yml"}
    made = api.post("/pipelines", json=body).json
    run = api.post("/runs", json={"pipelineId": made["id"]}).json
    assert [step["displayName"] for step in api.get(f"/runs/{run['id']}/steps").json] == ["ship: script"]


@pytest.mark.parametrize("name", ["other", "../x.yml", "/etc/x.yml", "a//b.yml", "x.toml"])
def test_a_part_of_a_configuration_that_cannot_be_run(api: Api, ids: Ids, error: Callable[..., Any], name: str) -> None:
    body = {"application": ids.application, "name": "deploy", "pipelineName": name}
    response = api.post("/pipelines", json=body)
    assert error(response)[:2] == (400, "Bad Request")
    assert response.json["details"][0]["path"] == "pipelineName"


def chained(place: Place, source: Pipeline, **given: Any) -> Pipeline:
    return make_pipeline(place.core, place.project, source_pipeline_id=source.id, source="api", **given)


@pytest.mark.parametrize("database", BOTH, indirect=True)
class TestWorkflows:
    def test_a_workflow_is_a_run_and_all_that_were_chained_to_it(self, api: Api, place: Place, ids: Ids) -> None:
        second = chained(place, place.pipeline)
        third = chained(place, second, status="success")
        place.pipeline = third
        place.job(status="success")
        other = make_pipeline(place.core, place.project)
        listed = api.get(f"/workflows?applicationId={ids.application}").json
        assert [[item["data"]["runId"] for item in row["items"]] for row in listed] == [
            [id_of(other)],
            [ids.run, id_of(second), id_of(third)],
        ]
        found = api.get(f"/workflows/{listed[1]['id']}").json
        assert found == listed[1] | {"application": found["application"]}
        assert set(found["application"]) == DETAILED - {"allowedActions"}
        first, middle, last = found["items"]
        assert "parentItem" not in first
        assert (middle["parentItem"], last["parentItem"]) == (first["id"], middle["id"])
        assert (last["status"], last["result"], last["progress"]) == ("finished", "passed", 100)
        assert last["data"]["totalSteps"] == 4
        assert found["trigger"] == "git"
        assert set(found["data"]) == {"branch", "commitHash", "message", "scm"}

    def test_order_and_bounds(self, api: Api, place: Place, ids: Ids) -> None:
        later = [make_pipeline(place.core, place.project) for _ in range(11)]
        base = f"/workflows?applicationId={ids.application}"
        assert len(api.get(base).json) == 10
        oldest = api.get(f"{base}&sort=creationDateAsc&limit=1&skip=1").json
        assert [item["data"]["runId"] for item in oldest[0]["items"]] == [id_of(later[0])]
        assert api.get(f"{base}&limit=21").status_code == 400

    def test_the_step_that_a_run_has_come_to(self, api: Api, place: Place, ids: Ids) -> None:
        place.set(place.pipeline, status="running")
        job = place.job(status="running", started_at=place.core.now(), heard_at=place.core.now())
        place.set(job.steps[0], status="running")
        (item,) = api.get(f"/workflows?applicationId={ids.application}").json[0]["items"]
        assert (item["data"]["currentStep"], item["data"]["totalSteps"], item["data"]["stepName"]) == (3, 4, "script")

    def test_they_need_few_queries(
        self, api: Api, place: Place, ids: Ids, queries: Callable[[Callable[[], Any]], int]
    ) -> None:
        api.get("/tokens")
        few = queries(lambda: api.get(f"/workflows?applicationId={ids.application}"))
        for _ in range(4):
            chained(place, make_pipeline(place.core, place.project), user=place.users["developer"])
        assert queries(lambda: api.get(f"/workflows?applicationId={ids.application}")) == few


def test_a_run_that_was_chained_begins_no_workflow(api: Api, place: Place) -> None:
    second = chained(place, place.pipeline)
    listed = api.get(f"/workflows?applicationId={id_of(place.project)}").json
    identity = id_of(second)
    assert api.get(f"/workflows/{identity[:8]}09{identity[10:]}").status_code == 404
    assert api.get(f"/workflows/{listed[0]['id']}").status_code == 200


def test_a_member_of_a_group_above_sees_it(api: Api, place: Place, more: None) -> None:
    user = place.user("above")
    token = place.token(user)
    make_member(place.core, user, place.project.group, Role.REPORTER)
    assert "zip" in names(api.get("/applications/acme", token=token))
