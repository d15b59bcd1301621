"""The caller's tokens, and the variables of applications and organizations."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.api.wercker_v3.entities.common import id_of
from app.domain.permissions import Role
from app.models import AccessToken, CiVariable
from app.services.pipelines.definition_variables import definition_variables
from app.services.pipelines.kept_variables import settings_variables
from tests.databases import BOTH
from tests.factories import make_member
from tests.support.place import Place
from tests.support.wercker import Api, Ids

TOKEN = {"id", "url", "name", "hashedToken", "lastCharacters", "createdAt"}


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_the_life_of_a_token(api: Api, place: Place) -> None:
    made = api.post("/tokens", json={"name": " laptop "}).json
    assert set(made) == TOKEN | {"token"}
    assert (made["name"], made["lastCharacters"]) == ("laptop", made["token"][-4:])
    assert made["token"] not in made["hashedToken"]
    assert api.get("/applications/acme/rocket", token=made["token"]).status_code == 200
    shown = api.get(f"/tokens/{made['id']}").json
    assert set(shown) == TOKEN | {"lastUsedAt"}
    renamed = api.patch(f"/tokens/{made['id']}", json={"name": "desk"}).json
    assert renamed == shown | {"name": "desk"}
    assert [row["name"] for row in api.get("/tokens").json] == ["test", "desk"]
    assert (api.delete(f"/tokens/{made['id']}").status_code, api.get(f"/tokens/{made['id']}").status_code) == (204, 404)
    assert api.get("/applications/acme/rocket", token=made["token"]).status_code == 401
    assert [row["name"] for row in api.get("/tokens").json] == ["test"]


def test_tokens_of_others_are_nobodys_business(api: Api, place: Place) -> None:
    """Not even an administrator's."""
    row = place.core.session.query(AccessToken).filter_by(user_id=place.users["owner"].id).one()
    for caller in ("maintainer", "admin"):
        for method in ("GET", "PATCH", "DELETE"):
            response = api(method, f"/tokens/{id_of(row)}", token=place.tokens[caller], json={"name": "x"})
            assert response.status_code == 404


def test_a_new_token_lasts_no_longer_than_the_one_that_asked(api: Api, place: Place) -> None:
    end = place.core.now() + timedelta(days=1)
    short = place.token(place.users["owner"], expires_at=end)
    made = api.post("/tokens", json={"name": "child"}, token=short).json
    row = place.core.session.query(AccessToken).filter_by(token_hash=made["hashedToken"]).one()
    assert row.expires_at == end


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "  "}, {"name": "x" * 256}, {"name": 1}, {"name": "a\0"}])
def test_names_that_no_token_has(api: Api, error: Callable[..., Any], body: dict[str, Any]) -> None:
    response = api.post("/tokens", json=body)
    assert error(response)[:2] == (400, "Bad Request")
    assert response.json["details"][0]["path"] == "name"


@pytest.mark.parametrize("database", BOTH, indirect=True)
@pytest.mark.parametrize("scope", ["application", "organization", "pipeline"])
def test_the_life_of_a_variable(api: Api, place: Place, ids: Ids, scope: str) -> None:
    make_member(place.core, place.users["maintainer"], place.project.group, Role.MAINTAINER)
    targets = {"application": ids.application, "pipeline": ids.pipeline, "organization": id_of(place.project.group)}
    target = targets[scope]
    query = f"/envvars?scope={scope}&target={target}"
    assert api.get(query).json == {"results": []}
    place_of = {"scope": scope, "target": target}
    made = api.post("/envvars", json={**place_of, "key": "A", "value": "plain"}).json
    assert made == {"id": made["id"], "key": "A", "value": "plain", "protected": False}
    secret = api.post("/envvars", json={**place_of, "key": "B", "value": "long-enough", "protected": True}).json
    assert secret == {"id": secret["id"], "key": "B", "protected": True}
    assert api.get(query).json == {"results": [made, secret]}
    changed = api.patch(f"/envvars/{made['id']}", json={"value": "", "key": "A"}).json
    assert changed == made | {"value": ""}
    assert api.patch(f"/envvars/{secret['id']}", json={"value": "another-one"}).json == secret
    given = [
        *settings_variables(place.core, place.project, protected=False),
        *definition_variables(place.core, place.project.id, None),
    ]
    assert {variable.key: (variable.value, variable.masked) for variable in given} == {
        "A": ("", False),
        "B": ("another-one", True),
    }
    twice = api.post("/envvars", json={**place_of, "key": "A", "value": ""})
    assert (twice.status_code, twice.json["details"][0]["path"]) == (400, "key")
    assert api.delete(f"/envvars/{made['id']}").status_code == 204
    assert api.delete(f"/envvars/{made['id']}").status_code == 404
    assert api.get(query).json == {"results": [secret]}


@pytest.mark.parametrize("scope", ["application", "pipeline"])
@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"key": "OTHER"}, "key"),
        ({"protected": False}, "protected"),
        ({"value": "short"}, "value"),
        ({"value": ["x"]}, "value"),
        ({"protected": "perhaps"}, "protected"),
    ],
)
def test_changes_of_a_protected_variable_that_cannot_be(
    api: Api, ids: Ids, error: Callable[..., Any], scope: str, change: dict[str, Any], path: str
) -> None:
    target = ids.application if scope == "application" else ids.pipeline
    body = {"scope": scope, "target": target, "key": "B", "value": "long-enough", "protected": True}
    made = api.post("/envvars", json=body).json
    response = api.patch(f"/envvars/{made['id']}", json=change)
    assert error(response)[:2] == (400, "Bad Request")
    assert response.json["details"][0]["path"] == path


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"scope": "planet"}, "scope"),
        ({"scope": None}, "scope"),
        ({"target": "1"}, "target"),
        ({"key": "a-b"}, "key"),
        ({"key": None}, "key"),
        ({"value": "short", "protected": True}, "value"),
    ],
)
def test_variables_that_cannot_be(
    api: Api, ids: Ids, error: Callable[..., Any], change: dict[str, Any], path: str
) -> None:
    body = {"scope": "application", "target": ids.application, "key": "A", "value": "b"}
    response = api.post("/envvars", json=body | change)
    assert error(response)[:2] == (400, "Bad Request")
    assert response.json["details"][0]["path"] == path


def test_who_may_see_and_change_variables(api: Api, place: Place, ids: Ids) -> None:
    organization = id_of(place.project.group)
    body = {"scope": "application", "target": ids.application, "key": "A", "value": "b"}
    made = api.post("/envvars", json=body).json["id"]
    shared = api.post(
        "/envvars", json=body | {"scope": "organization", "target": organization}, token=place.tokens["owner"]
    ).json["id"]
    place.set(place.core.session.get(CiVariable, 1), key="A")
    expected = {"stranger": (404, 404), "guest": (403, 403), "developer": (403, 403), "maintainer": (200, 403)}
    expected |= {"owner": (200, 200), "admin": (200, 200)}
    for role, statuses in expected.items():
        token = place.tokens[role]
        for address in (
            f"/envvars?scope=application&target={ids.application}",
            f"/envvars?scope=organization&target={organization}",
        ):
            response = api.get(address, token=token)
            assert (role, response.status_code) == (role, statuses["organization" in address])
        for identity, status in zip((made, shared), statuses, strict=True):
            response = api.patch(f"/envvars/{identity}", json={"value": "c"}, token=token)
            assert (role, response.status_code) == (role, status)
