"""The CI variables of groups and of the instance (gitlab.md B.6)."""

from typing import Any

import pytest

from app.models import CiVariable
from app.services.pipelines.kept_variables import settings_variables
from tests.support.gitlab import Api
from tests.support.place import Place

PLACES = [
    pytest.param("/groups/acme/variables", "owner", "GroupVariable", id="group"),
    pytest.param("/admin/ci/variables", "admin", "InstanceVariable", id="instance"),
]
each = pytest.mark.parametrize(("path", "who", "named"), PLACES)
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


@each
def test_a_variable_is_made_shown_changed_and_removed(api: Api, place: Place, path: str, who: str, named: str) -> None:
    api.token = place.tokens[who]
    made = api.post(path, json={"key": "NAME", "value": "v"})
    assert (made.status_code, made.json) == (201, PLAIN)
    assert api.get(f"{path}/NAME").json == PLAIN
    assert api.get(path).json == [PLAIN]
    assert api.get("/projects/1/variables").json == []
    change = {"value": "longer-value", "masked": True, "variable_type": "file", "protected": True, "raw": True}
    changed = api.put(f"{path}/NAME", json=change)
    assert (changed.status_code, changed.json) == (200, PLAIN | change)
    assert api.delete(f"{path}/NAME").status_code == 204
    for answer in (api.get(f"{path}/NAME"), api.put(f"{path}/NAME", json={}), api.delete(f"{path}/NAME")):
        assert (answer.status_code, answer.json) == (404, {"message": f"404 {named} Not Found"})


@each
@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({"value": "v"}, {"error": "key is missing"}),
        ({"key": "A B", "value": "v"}, {"message": {"key": ["can contain only letters, digits and '_'."]}}),
        ({"key": "", "value": "v"}, {"message": {"key": ["can't be blank"]}}),
        ({"key": "A" * 256, "value": "v"}, {"message": {"key": ["is too long (maximum is 255 characters)"]}}),
        ({"key": "A", "value": "short", "masked": True}, {"message": {"value": ["is invalid"]}}),
        ({"key": "TAKEN", "value": "v"}, {"message": {"key": ["(TAKEN) has already been taken"]}}),
    ],
)
def test_what_makes_no_variable_says_why(
    api: Api, place: Place, path: str, who: str, named: str, given: dict[str, Any], body: dict[str, Any]
) -> None:
    api.token = place.tokens[who]
    assert api.post(path, json={"key": "TAKEN", "value": "v"}).status_code == 201
    answer = api.post(path, json=given)
    assert (answer.status_code, answer.json) == (400, body)
    assert len(api.get(path).json) == 1


def test_a_groups_variables_may_be_for_one_environment_or_hidden(api: Api, place: Place) -> None:
    path, api.token = "/groups/1/variables", place.tokens["owner"]
    api.post(path, json={"key": "A", "value": "1"})
    api.post(path, json={"key": "A", "value": "2", "environment_scope": "live"})
    assert api.get(f"{path}/A").status_code == 409
    assert api.get(f"{path}/A?filter[environment_scope]=live").json["value"] == "2"
    hidden = api.post(path, json={"key": "B", "value": "a-long-secret", "masked_and_hidden": True}).json
    assert (hidden["value"], hidden["hidden"], hidden["masked"]) == (None, True, True)


def test_the_closest_place_wins_and_all_are_sealed(api: Api, place: Place) -> None:
    for path, who in (("/admin/ci", "admin"), ("/groups/acme", "owner"), ("/projects/1", "owner")):
        for key in ("ALL", *(("UPPER",) if path != "/projects/1" else ())):
            given = {"key": key, "value": f"value-of-{who}-{path}"}
            assert api.post(f"{path}/variables", json=given, token=place.tokens[who]).status_code == 201
    found = {item.key: item.value for item in settings_variables(place.core, place.project, protected=False)}
    assert found == {"ALL": "value-of-owner-/projects/1", "UPPER": "value-of-owner-/groups/acme"}
    assert not any("value-of" in row.value_sealed for row in place.core.session.query(CiVariable))


def test_a_group_that_one_may_not_see_is_not_there(api: Api, place: Place) -> None:
    for path in ("/groups/acme/variables", "/groups/99/variables", "/groups/nothing/variables"):
        answer = api.get(path, token=place.tokens["stranger"])
        assert (answer.status_code, answer.json) == (404, {"message": "404 Group Not Found"})
