"""The OpenAPI document: whole, valid, and true. That answers are as it says, conftest.py checks in every test."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest
from flask import Flask, Response, jsonify
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from app.api.gitlab_v4 import ENDPOINTS, PREFIX
from app.api.gitlab_v4.openapi.answers import ANSWERS
from app.api.gitlab_v4.openapi.inputs import address
from app.api.gitlab_v4.openapi.schema import Schemas
from tests.support.gitlab import Api
from tests.support.openapi import differences, document, resolved
from tests.support.place import Place


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, item in document()["paths"].items()
        for method, operation in item.items()
    }


def test_every_route_is_in_it_and_nothing_else(app: Flask) -> None:
    served = {
        (method, address(rule.rule.removeprefix(PREFIX)))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(PREFIX + "/")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert set(operations()) == served


def test_every_endpoint_says_what_it_answers() -> None:
    assert {endpoint.name for endpoint in ENDPOINTS} == set(ANSWERS)


def test_it_is_valid_openapi_and_each_operation_has_a_name_of_its_own() -> None:
    validate(document())
    names = [operation["operationId"] for operation in operations().values()]
    assert len(names) == len(set(names))


def test_it_is_served_to_everyone_and_not_sent_twice(api: Api, place: Place) -> None:
    first = api.get("/openapi.json", token=None)
    assert (first.status_code, first.json) == (200, document())
    again = api.get("/openapi.json", token=None, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert api.get("/openapi.json", token="glpat-unknown").status_code == 401
    assert api.get("/openapi.json", token=place.tokens["guest"]).headers["ETag"] == first.headers["ETag"]


def test_it_says_who_may_call_with_what_and_in_which_scope() -> None:
    found = operations()
    job_list = found["GET", "/projects/{id}/pipelines/{pipeline_id}/jobs"]
    assert job_list["x-callers"] == ["anonymous", "job", "user"]
    assert job_list["x-scopes"] == ["api", "read_api"]
    schemes = [next(iter(way), "") for way in job_list["security"]]
    assert schemes[0] == ""
    assert {"privateToken", "bearer", "privateTokenInQuery", "session", "jobToken", "jobTokenInQuery"} < set(schemes)
    shown = {param["name"]: param for param in job_list["parameters"]}
    assert shown["scope[]"]["schema"]["items"]["enum"][0] == "created"
    assert (shown["pipeline_id"]["in"], shown["pipeline_id"]["schema"]["type"]) == ("path", "integer")
    assert {"X-Total", "X-Next-Page", "Link"} < set(job_list["responses"]["200"]["headers"])
    assert {"400", "401", "403", "404", "429", "503"} < set(job_list["responses"])
    assert {} not in found["DELETE", "/projects/{id}"]["security"]


def test_bodies_have_the_declared_fields_in_json_and_forms() -> None:
    body = operations()["POST", "/projects/{id}/pipeline"]["requestBody"]
    assert body["required"]
    schema = body["content"]["application/json"]["schema"]
    assert schema["required"] == ["ref"]
    assert schema["properties"]["ref"] == {"type": "string", "minLength": 1}
    assert schema["properties"]["variables"]["items"]["required"] == ["key", "value"]
    assert body["content"]["application/x-www-form-urlencoded"]["schema"] == schema


def test_answers_that_differ_from_it_are_found(app: Flask) -> None:
    """The check that conftest.py makes of every answer is one that can fail."""

    def of(body: Any, status: int = 200) -> list[str]:
        with app.test_request_context():
            response: Response = jsonify(body)
        response.status_code = status
        return differences(response, "GET", "/version")

    version = {"version": "1", "revision": "2"}
    assert of(version) == []
    assert len(of({"version": "1"})) == 1
    assert len(of({"version": 1, "revision": "2"})) == 1
    assert len(of(version | {"more": 1})) == 1
    assert len(of({"message": "gone"}, 410)) == 1
    assert differences(Response("", 200), "GET", "/nowhere") == ["GET /nowhere is not in the document"]


class Inner(TypedDict):
    """An inner one."""

    at: Annotated[str, ("format", "date"), ("enum", ("a", "b"))]


class Outer(Inner):
    more: NotRequired[list[Inner] | None]
    kind: Literal["x"] | None


def test_types_become_schemas() -> None:
    schemas = Schemas()
    assert schemas.of(dict[str, int | None]) == {
        "type": "object",
        "additionalProperties": {"type": ["integer", "null"]},
    }
    assert schemas.of(Outer) == {"$ref": "#/components/schemas/Outer"}
    assert schemas.found["Inner"] == {
        "description": "An inner one.",
        "type": "object",
        "properties": {"at": {"type": "string", "format": "date", "enum": ["a", "b"]}},
        "required": ["at"],
    }
    assert schemas.found["Outer"]["required"] == ["at", "kind"]
    assert schemas.found["Outer"]["properties"]["more"]["type"] == ["array", "null"]
    assert schemas.found["Outer"]["properties"]["kind"]["anyOf"][1] == {"type": "null"}
    with pytest.raises(TypeError):
        schemas.of(object)


def test_no_object_refers_to_itself() -> None:
    """`resolved` would not come to an end."""
    for schema in document()["components"]["schemas"].values():
        resolved(schema)


def test_the_page_shows_every_operation(client: FlaskClient) -> None:
    page = client.get("/-/api")
    assert page.status_code == 200
    assert all(f'id="{operation["operationId"]}"' in page.text for operation in operations().values())
    assert ("GitLab v4" in page.text, "Gitlab" in page.text) == (True, False)
    assert "<script>" not in page.text
    assert " style=" not in page.text
