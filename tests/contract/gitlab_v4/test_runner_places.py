"""Runners of several projects and of groups, and the tokens that runners register with."""

import pytest

from app.domain.permissions import Role
from app.models import Project, Runner
from app.services.jobs.waiting_reason import as_waiting
from app.services.runners.claim_job import claim_job
from app.services.runners.share_runner import share_runner, unshare_runner
from tests.databases import BOTH
from tests.factories import make_manager, make_member, make_pipeline, make_project, make_runner
from tests.support.gitlab import Api
from tests.support.place import Place

pytestmark = pytest.mark.parametrize("database", BOTH, indirect=True)


@pytest.fixture
def other(place: Place) -> Project:
    """Another project, which the maintainer of the first maintains too."""
    project = make_project(place.core, "far/other", creator=place.users["stranger"])
    make_member(place.core, place.users["maintainer"], project, Role.MAINTAINER)
    return project


def test_a_shared_runner_takes_the_jobs_of_both_projects_and_of_no_third(
    api: Api, place: Place, other: Project
) -> None:
    core = place.core
    runner, _ = make_runner(core, runner_type="project_type", project=other)
    manager = make_manager(core, runner)
    job = place.job(status="pending")
    assert claim_job(core, runner.id, manager.id, frozenset()) is None
    shared = api.post("/projects/1/runners", json={"runner_id": runner.id})
    assert (shared.status_code, shared.json["id"]) == (201, runner.id)
    assert as_waiting(core.session.get_one(Runner, runner.id)).shared_with == {1}
    claimed = claim_job(core, runner.id, manager.id, frozenset())
    assert claimed is not None
    assert claimed.job_id == job.id
    assert [row["id"] for row in api.get("/projects/1/runners").json] == [runner.id]
    assert [row["id"] for row in api.get(f"/runners/{runner.id}/projects").json] == [other.id, 1]
    assert [row["id"] for row in api.get(f"/runners/{runner.id}").json["projects"]] == [other.id, 1]
    hidden = make_project(core, "far/hidden", creator=place.users["stranger"])
    share_runner(core, core.session.get_one(Runner, runner.id), hidden)
    assert [row["id"] for row in api.get(f"/runners/{runner.id}/projects").json] == [other.id, 1]
    unshare_runner(core, core.session.get_one(Runner, runner.id), hidden)
    assert api.get(f"/runners/{runner.id}?include_projects=false").json["projects"] == []
    assert api.delete(f"/runners/{runner.id}").json == {
        "message": "403 Forbidden - Runner associated with more than one project"
    }
    third = make_project(core, "far/third", creator=place.users["stranger"])
    place.pipeline = make_pipeline(core, third)
    place.job(status="pending")
    assert claim_job(core, runner.id, manager.id, frozenset()) is None
    assert api.delete(f"/projects/1/runners/{runner.id}").status_code == 204
    assert api.delete(f"/projects/1/runners/{runner.id}").status_code == 404
    assert api.get("/projects/1/runners").json == []


def test_which_runners_cannot_be_shared(api: Api, place: Place, other: Project) -> None:
    core, admin = place.core, place.tokens["admin"]
    instance, _ = make_runner(core)
    locked, _ = make_runner(core, runner_type="project_type", project=other, locked=True)
    foreign, _ = make_runner(core, runner_type="project_type", project=place.project)
    for runner, reason in ((instance, "Runner is not a project runner"), (locked, "Runner is locked")):
        refused = api.post("/projects/1/runners", token=admin, json={"runner_id": runner.id})
        assert (refused.status_code, refused.json) == (403, {"message": f"403 Forbidden - {reason}"})
    assert api.post("/projects/1/runners", json={"runner_id": foreign.id}).status_code == 400
    assert api.delete(f"/projects/1/runners/{foreign.id}").status_code == 403
    assert api.post("/projects/1/runners", json={"runner_id": 999}).json == {"message": "404 Runner Not Found"}


def test_whoever_a_runner_is_shared_with_sees_it_and_can_only_give_it_back(api: Api, place: Place) -> None:
    hidden = make_project(place.core, "far/hidden", creator=place.users["stranger"])
    runner, _ = make_runner(place.core, runner_type="project_type", project=hidden)
    assert api.post("/projects/1/runners", json={"runner_id": runner.id}).status_code == 403
    share_runner(place.core, runner, place.project)
    assert [row["id"] for row in api.get("/runners").json] == [runner.id]
    assert [row["id"] for row in api.get(f"/runners/{runner.id}").json["projects"]] == [1]
    for method, path in (
        ("PUT", "?paused=true"),
        ("DELETE", ""),
        ("POST", "/reset_authentication_token"),
        ("GET", "/jobs"),
        ("GET", "/managers"),
        ("GET", "/projects"),
    ):
        assert api(method, f"/runners/{runner.id}{path}").status_code == 403, (method, path)
    assert api.delete(f"/projects/1/runners/{runner.id}").status_code == 204


def test_a_group_lists_its_own_runners_and_those_above_it(api: Api, place: Place) -> None:
    owner = place.tokens["owner"]
    make_runner(place.core)
    runner, _ = make_runner(place.core, runner_type="group_type", group=place.project.group)
    below = api.post("/groups", token=owner, json={"name": "B", "path": "b", "parent_id": place.project.group_id}).json
    for group in ("acme", below["id"]):
        assert [row["id"] for row in api.get(f"/groups/{group}/runners", token=owner).json] == [runner.id]


def test_runners_register_for_the_place_whose_token_they_have(api: Api, place: Place) -> None:
    places = {
        "/runners": ("instance_type", "admin"),
        "/projects/1/runners": ("project_type", "maintainer"),
        "/groups/acme/runners": ("group_type", "owner"),
    }
    for path, (kind, who) in places.items():
        first, second = (
            api.post(f"{path}/reset_registration_token", token=place.tokens[who]).json["token"] for _ in range(2)
        )
        assert api.post("/runners", token=None, json={"token": first}).status_code == 403
        made = api.post("/runners", token=None, json={"token": second, "tag_list": "a,b"})
        assert made.status_code == 201
        runner = place.core.session.get_one(Runner, made.json["id"])
        assert (runner.runner_type, runner.tags) == (kind, ["a", "b"])
        assert (runner.project_id, runner.group_id) == (
            1 if kind == "project_type" else None,
            place.project.group_id if kind == "group_type" else None,
        )


def test_runners_are_found_by_version_and_their_jobs_by_daemon(api: Api, place: Place) -> None:
    runner, _ = make_runner(place.core, runner_type="project_type", project=place.project)
    make_runner(place.core, runner_type="project_type", project=place.project)
    managers = [make_manager(place.core, runner, system_id=f"s_{name}", version="19.4.0") for name in ("a", "b")]
    assert [row["id"] for row in api.get("/runners?version_prefix=19.").json] == [runner.id]
    assert api.get("/runners?version_prefix=18").json == []
    jobs = [place.job(status="success", runner_id=runner.id, runner_manager_id=each.id) for each in managers]
    assert [row["id"] for row in api.get(f"/runners/{runner.id}/jobs?system_id=s_b").json] == [jobs[1].id]
