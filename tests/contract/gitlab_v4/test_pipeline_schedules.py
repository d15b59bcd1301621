"""Pipeline schedules (gitlab.md B.7)."""

from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from app.models import PipelineSchedule
from app.services.schedules.run_schedules import run_due_schedules
from tests.contract.gitlab_v4.shapes import differences
from tests.databases import BOTH
from tests.git_client import new_checkout
from tests.support.gitlab import Api
from tests.support.place import Place

LIST = "/projects/1/pipeline_schedules"
USER = {"id": "integer", "username": "text", "name": "text", "state": "text", "avatar_url": "text?", "web_url": "text"}
LISTED = {
    "id": "integer",
    "description": "text",
    "ref": "text",
    "cron": "text",
    "cron_timezone": "text",
    "next_run_at": "time",
    "active": "boolean",
    "created_at": "time",
    "updated_at": "time",
    "owner": USER,
}
NIGHTLY = {"description": "Every night", "ref": "refs/heads/main", "cron": "0 1 * * *"}


def made(api: Api, **given: Any) -> dict[str, Any]:
    answer = api.post(LIST, json=NIGHTLY | given)
    assert answer.status_code == 201, answer.json
    body: dict[str, Any] = answer.json
    return body


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_a_schedule_is_made_shown_changed_and_removed(api: Api) -> None:
    schedule = made(api, inputs=[{"name": "count", "value": 3}, {"name": "where", "value": ["a", True]}])
    one = f"{LIST}/{schedule['id']}"
    assert differences(schedule, LISTED | {"last_pipeline": "object?"}) == []
    assert (schedule["cron_timezone"], schedule["active"], schedule["variables"]) == ("UTC", True, [])
    assert schedule["inputs"] == [{"name": "count", "value": 3}, {"name": "where", "value": ["a", True]}]
    assert api.get(one).json == schedule
    (listed,) = api.get(LIST).json
    assert listed == {key: value for key, value in schedule.items() if key not in ("last_pipeline", "variables")}
    changes = {"cron": "5 2 * * *", "cron_timezone": "Asia/Tokyo", "inputs": [{"name": "where", "destroy": True}]}
    changed = api.put(one, json=changes)
    assert changed.status_code == 200
    assert (changed.json["cron"], changed.json["cron_timezone"]) == ("5 2 * * *", "Asia/Tokyo")
    assert changed.json["next_run_at"].endswith("T17:05:00.000Z")
    assert changed.json["inputs"] == [{"name": "count", "value": 3}]
    assert api.delete(one).status_code == 204
    assert api.get(one).json == {"message": "404 Pipeline Schedule Not Found"}


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({"cron": None}, {"error": "cron is missing"}),
        ({"ref": ""}, {"error": "ref is empty"}),
        ({"cron": "invalid-cron"}, {"message": {"cron": [" is invalid syntax"]}}),
        ({"cron_timezone": "Nowhere"}, {"message": {"cron_timezone": [" is invalid syntax"]}}),
        ({"description": " "}, {"message": {"description": ["can't be blank"]}}),
        ({"ref": "a..b"}, {"message": {"ref": ["is invalid"]}}),
        ({"inputs": [{"name": "a"}]}, {"error": "inputs[0][value] is missing"}),
        ({"inputs": [{"value": 1}]}, {"error": "inputs[0][name] is missing"}),
        ({"inputs": [{"name": "a", "value": {"b": 1}}]}, {"error": "inputs[0][value] is invalid"}),
        ({"inputs": [{"name": "a", "value": 1}] * 2}, {"message": {"inputs": ["have duplicate values"]}}),
        (
            {"inputs": [{"name": str(number), "value": 1} for number in range(21)]},
            {"message": {"inputs": ["exceeds the limit of 20."]}},
        ),
    ],
)
def test_what_makes_no_schedule_says_why(api: Api, given: dict[str, Any], body: dict[str, Any]) -> None:
    answer = api.post(LIST, json=NIGHTLY | given)
    assert (answer.status_code, answer.json) == (400, body)
    assert api.get(LIST).json == []
    if given.get("cron"):
        one = f"{LIST}/{made(api)['id']}"
        assert api.put(one, json=given).json == body
        assert api.get(one).json["cron"] == NIGHTLY["cron"]


def test_a_short_ref_is_kept_in_full_where_it_means_one_thing(api: Api, place: Place, tmp_path: Path) -> None:
    checkout = new_checkout(tmp_path / "checkout", str(place.core.repositories.path(1)))
    checkout.git("tag", "both")
    checkout.git("push", "origin", "main", "HEAD:refs/heads/both", "both", "HEAD:refs/tags/v1")
    refs = [made(api, ref=ref)["ref"] for ref in ("main", "v1", "both", "nothing")]
    assert refs == ["refs/heads/main", "refs/tags/v1", "both", "nothing"]


def test_a_developer_makes_none_for_a_branch_that_is_not_theirs_to_run(api: Api, place: Place) -> None:
    answer = api.post(LIST, json=NIGHTLY, token=place.tokens["developer"])
    assert answer.status_code == 400
    assert answer.json["message"]["base"][0].startswith("You do not have sufficient permission to run a pipeline on")


def test_the_scope_parts_active_ones_from_the_others(api: Api) -> None:
    active, inactive = made(api)["id"], made(api, active=False)["id"]
    found = {scope: [row["id"] for row in api.get(f"{LIST}?scope={scope}").json] for scope in ("active", "inactive")}
    assert found == {"active": [active], "inactive": [inactive]}
    assert api.get(f"{LIST}?scope=some").json == {"error": "scope does not have a valid value"}


def test_variables_are_sealed_and_shown_only_to_owner_and_maintainers(api: Api, place: Place) -> None:
    one = f"{LIST}/{made(api)['id']}"
    first = {"variable_type": "env_var", "key": "DEPTH", "value": "very-deep", "raw": False}
    answer = api.post(f"{one}/variables", json={"key": "DEPTH", "value": "very-deep"})
    assert (answer.status_code, answer.json) == (201, first)
    row = place.core.session.get_one(PipelineSchedule, 1)
    assert "very-deep" not in row.variables_sealed
    assert api.get(one).json["variables"] == [first]
    assert api.get(f"{one}/variables/DEPTH").json == first
    for role in ("reporter", "developer"):
        shown = api.get(one, token=place.tokens[role])
        assert shown.status_code == 200
        assert "variables" not in shown.json
    taken = api.post(f"{one}/variables", json={"key": "DEPTH", "value": "x"})
    assert (taken.status_code, taken.json) == (400, {"message": {"key": ["(DEPTH) has already been taken"]}})
    wrong = api.post(f"{one}/variables", json={"key": "NO GOOD", "value": "x"})
    assert wrong.json == {"message": {"key": ["can contain only letters, digits and '_'."]}}
    changed = api.put(f"{one}/variables/DEPTH", json={"value": "w", "variable_type": "file"})
    assert (changed.status_code, changed.json) == (200, first | {"value": "w", "variable_type": "file"})
    gone = api.delete(f"{one}/variables/DEPTH")
    assert (gone.status_code, gone.json) == (202, changed.json)
    missing = {"message": "404 Pipeline Schedule Variable Not Found"}
    for answer in (api.delete(f"{one}/variables/DEPTH"), api.put(f"{one}/variables/DEPTH", json={"value": "w"})):
        assert (answer.status_code, answer.json) == (404, missing)


def test_where_nobody_may_give_variables_a_schedule_gets_none(api: Api, place: Place) -> None:
    one = f"{LIST}/{made(api)['id']}"
    api.post(f"{one}/variables", json={"key": "OLD", "value": "x"})
    place.set(place.project, variables_role="no_one_allowed")
    assert api.post(f"{one}/variables", json={"key": "NEW", "value": "x"}).status_code == 403
    assert api.put(f"{one}/variables/OLD", json={"value": "y"}).status_code == 403
    assert api.delete(f"{one}/variables/OLD").status_code == 403


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_playing_starts_a_pipeline_that_the_schedule_shows(api: Api, place: Place, tmp_path: Path) -> None:
    checkout = new_checkout(tmp_path / "checkout", str(place.core.repositories.path(1)))
    assert checkout.push("main").ok
    one = f"{LIST}/{made(api)['id']}"
    for _ in range(2):
        played = api.post(f"{one}/play")
        assert (played.status_code, played.json) == (201, {"message": "201 Created"})
    first, second = api.get(f"{one}/pipelines").json
    assert first["id"] < second["id"]
    assert (first["source"], first["ref"]) == ("schedule", "main")
    assert [row["id"] for row in api.get(f"{one}/pipelines?sort=desc").json] == [second["id"], first["id"]]
    assert [row["id"] for row in api.get(f"{one}/pipelines?status=success").json] == []
    assert api.get(one).json["last_pipeline"]["id"] == second["id"]
    assert [row["id"] for row in api.get("/projects/1/pipelines?source=schedule").json] == [second["id"], first["id"]]
    assert run_due_schedules(place.core) == 0


def test_who_takes_a_schedule_over_owns_it(api: Api, place: Place) -> None:
    one = f"{LIST}/{made(api)['id']}"
    taken = api.post(f"{one}/take_ownership", token=place.tokens["owner"])
    assert (taken.status_code, taken.json["owner"]["username"]) == (201, "owner")
    again = api.post(f"{one}/take_ownership", token=place.tokens["owner"])
    assert (again.status_code, again.json["owner"]["username"]) == (200, "owner")
    assert api.put(one, json={"active": False}).status_code == 403


def test_a_schedule_that_was_changed_meanwhile_is_not_removed(api: Api, place: Place) -> None:
    one = f"{LIST}/{made(api)['id']}"
    past = {"If-Unmodified-Since": format_datetime(place.pipeline.created_at.replace(year=2020), usegmt=True)}
    answer = api.delete(one, headers=past)
    assert (answer.status_code, answer.json) == (412, {"message": "412 Precondition Failed"})
    assert api.get(one).status_code == 200
