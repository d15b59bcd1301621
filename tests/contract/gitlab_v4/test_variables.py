"""A project's CI variables (gitlab.md B.6)."""

import pytest

from app.models import CiVariable
from tests.support.gitlab import Api
from tests.support.place import Place

PLAIN = {
    "variable_type": "env_var",
    "key": "NAME",
    "value": "v",
    "hidden": False,
    "protected": False,
    "masked": False,
    "raw": False,
    "environment_scope": "*",
    "description": None,
}
PATH = "/projects/1/variables"


def test_a_variable_is_made_shown_changed_and_removed(api: Api) -> None:
    made = api.post(PATH, json={"key": "NAME", "value": "v"})
    assert (made.status_code, made.json) == (201, PLAIN)
    assert api.get(f"{PATH}/NAME").json == PLAIN
    assert api.get(PATH).json == [PLAIN]
    changed = api.put(f"{PATH}/NAME", json={"value": "longer-value", "masked": True, "variable_type": "file"})
    assert changed.status_code == 200
    assert changed.json == PLAIN | {"value": "longer-value", "masked": True, "variable_type": "file"}
    kept = api.put(f"{PATH}/NAME", json={"description": "why"})
    assert kept.json == changed.json | {"description": "why"}
    assert api.delete(f"{PATH}/NAME").status_code == 204
    assert api.get(f"{PATH}/NAME").json == {"message": "404 Variable Not Found"}
    assert api.delete(f"{PATH}/NAME").status_code == 404


def test_a_value_is_sealed_at_rest(api: Api, place: Place) -> None:
    api.post(PATH, json={"key": "NAME", "value": "top-secret"})
    row = place.core.session.get_one(CiVariable, 1)
    assert "top-secret" not in row.value_sealed
    assert place.core.box.open(row.value_sealed, row.seal_context) == "top-secret"


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({"value": "v"}, {"error": "key is missing"}),
        ({"key": "A"}, {"error": "value is missing"}),
        (
            {"key": "A B", "value": "v"},
            {"message": {"key": ["can contain only letters, digits and '_'."]}},
        ),
        (
            {"key": "A" * 256, "value": "v"},
            {"message": {"key": ["is too long (maximum is 255 characters)"]}},
        ),
        ({"key": "A", "value": "short", "masked": True}, {"message": {"value": ["is invalid"]}}),
        ({"key": "A", "value": "has spaces in it", "masked": True}, {"message": {"value": ["is invalid"]}}),
        ({"key": "A", "value": "v" * 10_001}, {"message": {"value": ["is too long (maximum is 10000 characters)"]}}),
        ({"key": "A", "value": "v", "variable_type": "x"}, {"error": "variable_type does not have a valid value"}),
        ({"key": "A", "value": "v", "environment_scope": ""}, {"message": {"environment_scope": ["can't be blank"]}}),
    ],
)
def test_what_cannot_be_made(api: Api, given: dict, body: dict) -> None:
    response = api.post(PATH, json=given)
    assert (response.status_code, response.json) == (400, body)
    assert api.get(PATH).json == []


def test_an_empty_value_is_a_value(api: Api) -> None:
    assert api.post(PATH, json={"key": "EMPTY", "value": ""}).json["value"] == ""


def test_a_raw_value_may_be_masked_with_any_characters(api: Api) -> None:
    given = {"key": "A", "value": "p@$$w0rd!{}", "masked": True}
    assert api.post(PATH, json=given).status_code == 400
    assert api.post(PATH, json=given | {"raw": True}).status_code == 201


def test_a_key_is_taken_once_for_each_environment(api: Api) -> None:
    given = {"key": "A", "value": "1"}
    assert api.post(PATH, json=given).status_code == 201
    taken = api.post(PATH, json=given)
    assert (taken.status_code, taken.json) == (400, {"message": {"key": ["(A) has already been taken"]}})
    assert api.post(PATH, json=given | {"environment_scope": "live"}).status_code == 201
    several = api.get(f"{PATH}/A")
    assert several.status_code == 409
    assert several.json["message"].startswith("There are multiple variables with provided parameters.")
    query = "?filter[environment_scope]=live"
    assert api.get(f"{PATH}/A{query}").json["environment_scope"] == "live"
    assert api.put(f"{PATH}/A{query}", json={"environment_scope": "*"}).status_code == 400
    assert api.put(f"{PATH}/A", json={"value": "2", "filter": {"environment_scope": "live"}}).json["value"] == "2"
    assert api.delete(f"{PATH}/A{query}").status_code == 204
    assert api.get(f"{PATH}/A").json["value"] == "1"


def test_a_hidden_value_is_never_shown_again(api: Api) -> None:
    made = api.post(PATH, json={"key": "A", "value": "a-long-secret", "masked_and_hidden": True})
    assert (made.json["value"], made.json["hidden"], made.json["masked"]) == (None, True, True)
    assert api.get(f"{PATH}/A").json["value"] is None
    assert api.put(f"{PATH}/A", json={"masked": False}).status_code == 400
    assert api.put(f"{PATH}/A", json={"value": "another-secret"}).json["value"] is None
