"""Resource groups and the setting that cancels redundant pipelines, as clients see them."""

import gitlab
import pytest

from app.models import Job, ResourceGroup, write
from app.services.jobs.resources import group_ids, take
from tests.conftest import LiveServer
from tests.support.gitlab import Api
from tests.support.place import Place

PATH = "/projects/1/resource_groups"


@pytest.fixture
def jobs(place: Place) -> list[Job]:
    """The one that holds the resource of `deploy/main`, and two that wait for it."""
    with write(place.core.session):
        group = group_ids(place.core, place.project.id, ["deploy/main"])["deploy/main"] or 0
    made = [
        place.job(
            name=f"deploy{number}", status="waiting_for_resource" if number else "pending", resource_group_id=group
        )
        for number in range(3)
    ]
    with write(place.core.session):
        take(place.core, group, made[0].id)
    return made


def test_a_group_is_listed_shown_and_changed(api: Api, jobs: list[Job]) -> None:
    [group] = api.get(PATH).json
    assert set(group) == {"id", "key", "process_mode", "created_at", "updated_at"}
    assert (group["key"], group["process_mode"]) == ("deploy/main", "unordered")
    assert api.get(f"{PATH}/deploy%2Fmain").json == group
    changed = api.put(f"{PATH}/deploy%2Fmain", json={"process_mode": "oldest_first"})
    assert (changed.status_code, changed.json["process_mode"]) == (200, "oldest_first")
    assert api.put(f"{PATH}/deploy%2Fmain").json["process_mode"] == "oldest_first"


def test_who_holds_the_resource_and_who_waits_for_it(api: Api, jobs: list[Job]) -> None:
    assert api.get(f"{PATH}/deploy%2Fmain/current_job").json["id"] == jobs[0].id
    upcoming = api.get(f"{PATH}/deploy%2Fmain/upcoming_jobs")
    assert [job["id"] for job in upcoming.json] == [job.id for job in jobs[1:]]
    assert {job["status"] for job in upcoming.json} == {"waiting_for_resource"}
    assert upcoming.headers["X-Total"] == "2"


def test_what_is_not_there_or_makes_no_sense(api: Api, place: Place, jobs: list[Job]) -> None:
    missing = api.get(f"{PATH}/nothing")
    assert (missing.status_code, missing.json) == (404, {"message": "404 Resource Group Not Found"})
    wrong = api.put(f"{PATH}/deploy%2Fmain", json={"process_mode": "random"})
    assert (wrong.status_code, wrong.json) == (400, {"error": "process_mode does not have a valid value"})
    with write(place.core.session):
        group_ids(place.core, place.project.id, ["free"])
    assert api.get(f"{PATH}/free/current_job").status_code == 404
    assert api.get(f"{PATH}/free/upcoming_jobs").json == []


def test_python_gitlab_knows_them(server: LiveServer, place: Place, jobs: list[Job]) -> None:
    with gitlab.Gitlab(server.url, private_token=place.tokens["developer"], timeout=30) as client:
        project = client.projects.get("acme/rocket")
        assert [group.key for group in project.resource_groups.list(get_all=True)] == ["deploy/main"]
        group = project.resource_groups.get("deploy/main")
        assert [job.id for job in group.upcoming_jobs.list(get_all=True)] == [job.id for job in jobs[1:]]
        group.process_mode = "newest_first"
        group.save()
    place.core.session.rollback()
    assert place.core.session.query(ResourceGroup).one().process_mode == "newest_first"


def test_redundant_pipelines_are_canceled_unless_the_project_says_otherwise(api: Api) -> None:
    assert api.get("/projects/1").json["auto_cancel_pending_pipelines"] == "enabled"
    changed = api.put("/projects/1", json={"auto_cancel_pending_pipelines": "disabled"})
    assert (changed.status_code, changed.json["auto_cancel_pending_pipelines"]) == (200, "disabled")
    assert api.get("/projects/1").json["auto_cancel_pending_pipelines"] == "disabled"
    assert api.put("/projects/1", json={"auto_cancel_pending_pipelines": "maybe"}).status_code == 400
