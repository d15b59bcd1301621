"""Pipelines: lists, one, its variables, and what people do to them."""

import json
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest

from app.models import Job, Pipeline
from tests.contract.gitlab_v4.shapes import differences
from tests.databases import BOTH
from tests.factories import make_pipeline
from tests.support.gitlab import Api
from tests.support.place import Place, zipped

pytestmark = pytest.mark.parametrize("database", BOTH, indirect=True)

BASIC = {
    "id": "integer",
    "iid": "integer",
    "project_id": "integer",
    "sha": "text",
    "ref": "text",
    "status": "text",
    "source": "text",
    "created_at": "time",
    "updated_at": "time",
    "web_url": "text",
    "name": "text?",
}
WHOLE = BASIC | {
    "before_sha": "text",
    "tag": "boolean",
    "yaml_errors": "text?",
    "user": {
        "id": "integer",
        "username": "text",
        "name": "text",
        "state": "text",
        "avatar_url": "text?",
        "web_url": "text",
    },
    "started_at": "time?",
    "finished_at": "time?",
    "committed_at": "time?",
    "duration": "integer?",
    "queued_duration": "integer?",
    "coverage": "text?",
    "detailed_status": {
        "icon": "text",
        "text": "text",
        "label": "text",
        "group": "text",
        "tooltip": "text",
        "has_details": "boolean",
        "details_path": "text",
        "illustration": "object?",
        "favicon": "text?",
    },
    "archived": "boolean",
}


def ids(response) -> list[int]:
    assert response.status_code == 200, response.json
    return [row["id"] for row in response.json]


def test_a_pipeline_has_every_key_in_its_type(api: Api) -> None:
    assert differences(api.get("/projects/1/pipelines/1").json, WHOLE) == []
    assert differences(api.get("/projects/1/pipelines").json[0], BASIC) == []


def test_figures_come_from_the_jobs(api: Api, place: Place) -> None:
    start = place.core.now() - timedelta(hours=1)
    for begin, end, coverage in ((0, 10, 80.0), (5, 20, None), (30, 40, 90.0)):
        times = {"started_at": start + timedelta(seconds=begin), "finished_at": start + timedelta(seconds=end)}
        place.job(status="success", coverage=coverage, **times)
    place.job(status="failed", allow_failure=True)
    place.set(place.pipeline, status="success", started_at=place.pipeline.created_at + timedelta(seconds=7.9))
    shown = api.get("/projects/1/pipelines/1").json
    assert (shown["duration"], shown["queued_duration"], shown["coverage"]) == (30, 7, "85.00")
    assert shown["detailed_status"]["group"] == "success-with-warnings"


@pytest.fixture
def several(place: Place) -> dict[str, int]:
    """Ids of pipelines that differ in what the filters look at."""
    rows = {
        "passed": {"status": "success", "ref": "main", "source": "api", "name": "Nightly"},
        "tag": {"status": "failed", "ref": "v1", "tag": True, "yaml_errors": "line 1: no", "sha": "a" * 40},
        "child": {"status": "running", "ref": "main", "source": "parent_pipeline"},
        "waiting": {"status": "pending", "ref": "dev"},
    }
    user = place.users["owner"]
    found = {name: make_pipeline(place.core, place.project, user=user, **row).id for name, row in rows.items()}
    return {"first": 1, **found}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["waiting", "tag", "passed", "first"]),
        ("sort=asc", ["first", "passed", "tag", "waiting"]),
        ("status=success", ["passed"]),
        ("ref=main", ["passed", "first"]),
        ("sha=" + "a" * 40, ["tag"]),
        ("source=api", ["passed"]),
        ("source=parent_pipeline", ["child"]),
        ("name=Nightly", ["passed"]),
        ("username=OWNER", ["waiting", "tag", "passed"]),
        ("username=nobody", []),
        ("yaml_errors=true", ["tag"]),
        ("yaml_errors=false", ["waiting", "passed", "first"]),
        ("scope=finished", ["tag", "passed"]),
        ("scope=pending", ["waiting"]),
        ("scope=running", []),
        ("scope=tags", ["tag"]),
        ("order_by=ref&sort=asc", ["waiting", "first", "passed", "tag"]),
        ("order_by=status&sort=asc", ["first", "tag", "waiting", "passed"]),
        ("updated_before=2001-01-01", []),
        ("updated_after=2001-01-01T00:00:00Z&created_after=2001-01-01", ["waiting", "tag", "passed", "first"]),
    ],
)
def test_filters(api: Api, several: dict[str, int], query: str, expected: list[str]) -> None:
    assert ids(api.get(f"/projects/1/pipelines?{query}")) == [several[name] for name in expected]


def test_branches_are_the_newest_pipeline_of_each(api: Api, place: Place) -> None:
    newer = make_pipeline(place.core, place.project, ref="main")
    other = make_pipeline(place.core, place.project, ref="dev")
    make_pipeline(place.core, place.project, ref="v1", tag=True)
    assert ids(api.get("/projects/1/pipelines?scope=branches")) == [other.id, newer.id]


@pytest.mark.parametrize("query", ["status=x", "scope=x", "order_by=x", "sort=x"])
def test_unknown_values_are_refused(api: Api, query: str) -> None:
    name = query.partition("=")[0]
    response = api.get(f"/projects/1/pipelines?{query}")
    assert (response.status_code, response.json) == (400, {"error": f"{name} does not have a valid value"})


def test_a_list_needs_few_queries_however_long_it_is(api: Api, place: Place, queries) -> None:
    api.get("/user")
    few = queries(lambda: api.get("/projects/1/pipelines"))
    for number in range(5):
        make_pipeline(place.core, place.project, user=place.user(f"u{number}"))
    assert queries(lambda: api.get("/projects/1/pipelines")) == few


def test_the_latest_of_a_ref(api: Api, place: Place) -> None:
    newest = make_pipeline(place.core, place.project, ref="main")
    dev = make_pipeline(place.core, place.project, ref="dev/x")
    assert api.get("/projects/1/pipelines/latest").json["id"] == newest.id
    assert api.get("/projects/1/pipelines/latest?ref=dev/x").json["id"] == dev.id
    response = api.get("/projects/1/pipelines/latest?ref=none")
    assert (response.status_code, response.json) == (403, {"message": "403 Forbidden"})


def test_the_variables_it_was_started_with(api: Api, place: Place) -> None:
    assert api.get("/projects/1/pipelines/1/variables").json == []
    kept = [{"key": "A", "value": "1"}, {"key": "F", "value": "2", "file": True, "raw": True}]
    sealed = place.core.box.seal(json.dumps(kept), place.pipeline.seal_context)
    place.set(place.pipeline, variables_sealed=sealed)
    assert api.get("/projects/1/pipelines/1/variables").json == [
        {"variable_type": "env_var", "key": "A", "value": "1", "raw": False},
        {"variable_type": "file", "key": "F", "value": "2", "raw": True},
    ]


def test_canceling_and_retrying(api: Api, place: Place) -> None:
    job = place.job()
    response = api.post("/projects/1/pipelines/1/cancel")
    assert (response.status_code, response.json["status"]) == (200, "canceled")
    assert place.core.session.get_one(Job, job.id).status == "canceled"
    response = api.post("/projects/1/pipelines/1/retry")
    assert response.status_code == 201
    assert response.json["status"] in ("pending", "running")
    assert [row["status"] for row in api.get("/projects/1/pipelines/1/jobs").json] == ["pending"]
    assert differences(response.json, WHOLE) == []


def test_deleting_takes_everything_along(api: Api, place: Place) -> None:
    job = place.job(status="running")
    place.log(job, b"log")
    artifact = place.archive(job, zipped({"a": b"1"}))
    key, job_id = artifact.storage_key, job.id
    assert api.delete("/projects/1/pipelines/1").status_code == 403
    response = api.delete("/projects/1/pipelines/1", token=place.tokens["owner"])
    assert (response.status_code, response.data) == (204, b"")
    place.core.session.expunge_all()
    assert place.core.session.get(Pipeline, 1) is None
    assert place.core.session.get(Job, job_id) is None
    assert place.core.traces.size(job_id) == 0
    with pytest.raises(FileNotFoundError):
        place.core.artifacts.open(key)
    assert api.get("/projects/1/pipelines/1").status_code == 404


def test_deleting_only_what_has_not_changed(api: Api, place: Place) -> None:
    def delete(limit: datetime) -> int:
        headers = {"If-Unmodified-Since": format_datetime(limit, usegmt=True)}
        return api.delete("/projects/1/pipelines/1", token=place.tokens["owner"], headers=headers).status_code

    changed = place.pipeline.updated_at
    assert delete(changed - timedelta(minutes=1)) == 412
    assert delete(changed) == 204
