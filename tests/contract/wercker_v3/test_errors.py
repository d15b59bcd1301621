"""What is answered to whom, and to what makes no sense: in this API's form, and never more than they may know."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api.wercker_v3.entities.common import id_of, step_id
from app.services.accounts.sign_ins import begin_sign_in
from tests.factories import make_pipeline
from tests.support.place import Place
from tests.support.wercker import Api, Ids

ROLES = ("anonymous", "stranger", "guest", "reporter", "developer", "maintainer")
UNKNOWN = "577a4dbc3ec144923a02b6f9"


def test_the_example_of_a_wrong_value(api: Api, ids: Ids) -> None:
    """Word for word what was recorded of Wercker (wercker.md C.1)."""
    response = api.get(f"/runs?applicationId={ids.application}&status=x")
    message = "status must be one of notstarted, started, finished, running"
    assert response.json == {
        "statusCode": 400,
        "error": "Bad Request",
        "message": message,
        "details": [
            {
                "message": message,
                "path": "status",
                "type": "any.allowOnly",
                "context": {"key": "status", "valids": "notstarted, started, finished, running"},
            }
        ],
    }


@pytest.mark.parametrize(
    ("query", "path", "rule"),
    [
        ("limit=21", "limit", "number.max"),
        ("limit=0", "limit", "number.min"),
        ("limit=x", "limit", "number.base"),
        ("limit=1.5", "limit", "number.integer"),
        ("limit=", "limit", "number.base"),
        ("limit=99999999999999999999", "limit", "number.integer"),
        ("skip=-1", "skip", "number.min"),
        ("skip=9007199254740992", "skip", "number.max"),
        ("sort=up", "sort", "any.allowOnly"),
        ("status=", "status", "any.allowOnly"),
        ("result=won", "result", "any.allowOnly"),
        ("branch=", "branch", "any.empty"),
        ("branch=%00", "branch", "string.base"),
        ("sourceRun=12", "sourceRun", "string.regex.base"),
        ("pipelineId=577a4dbc3ec144923a02b6f", "pipelineId", "string.regex.base"),
    ],
)
def test_queries_that_make_no_sense(
    api: Api, ids: Ids, error: Callable[..., Any], query: str, path: str, rule: str
) -> None:
    response = api.get(f"/runs?applicationId={ids.application}&{query}")
    assert error(response)[:2] == (400, "Bad Request")
    assert [(each["path"], each["type"]) for each in response.json["details"]] == [(path, rule)]


def test_everything_that_is_wrong_is_said_at_once(api: Api, error: Callable[..., Any]) -> None:
    response = api.get("/runs?applicationId=1&limit=x&status=y")
    assert error(response)[0] == 400
    assert [each["path"] for each in response.json["details"]] == ["applicationId", "status", "limit"]


def test_a_list_of_runs_is_of_something(api: Api, error: Callable[..., Any]) -> None:
    response = api.get("/runs")
    assert error(response) == (400, "Bad Request", "value must contain at least one of applicationId, pipelineId")
    assert response.json["details"][0]["type"] == "object.missing"


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, ["pipelineId"]),
        ({"pipelineId": None}, ["pipelineId"]),
        ({"pipelineId": 12}, ["pipelineId"]),
        ({"pipelineId": "x"}, ["pipelineId"]),
        ({"pipelineId": UNKNOWN, "commitHash": "a" * 40}, ["commitHash"]),
        ({"pipelineId": UNKNOWN, "branch": ["main"]}, ["branch"]),
        ({"pipelineId": UNKNOWN, "message": 1}, ["message"]),
        ({"pipelineId": UNKNOWN, "message": "\ud800"}, ["message"]),
        ({"pipelineId": UNKNOWN, "envVars": {}}, ["envVars"]),
        ({"pipelineId": UNKNOWN, "envVars": ["x"]}, ["envVars.0"]),
        ({"pipelineId": UNKNOWN, "envVars": [{"key": "A"}]}, ["envVars.0.value"]),
        ({"pipelineId": UNKNOWN, "envVars": [{"value": "a"}, {"key": "", "value": 1}]},
         ["envVars.0.key", "envVars.1.key", "envVars.1.value"]),
        ([], ["value"]),
        (1, ["value"]),
    ],
)  # fmt: skip
def test_bodies_that_make_no_sense(api: Api, error: Callable[..., Any], body: Any, paths: list[str]) -> None:
    response = api.post("/runs", json=body)
    assert error(response)[:2] == (400, "Bad Request")
    assert [each["path"] for each in response.json["details"]] == paths


@pytest.mark.parametrize("data", [b"{", b"nonsense", b"\xff", b"[" * 100_000, b"NaN"])
def test_bodies_that_are_no_json(api: Api, error: Callable[..., Any], data: bytes) -> None:
    response = api.post("/runs", data=data, content_type="application/json")
    assert error(response)[:2] == (400, "Bad Request")


def test_keys_that_no_variable_has(api: Api, ids: Ids, error: Callable[..., Any]) -> None:
    response = api.post("/runs", json={"pipelineId": ids.pipeline, "envVars": [{"key": "a b", "value": ""}]})
    assert error(response)[0] == 400
    assert response.json["details"][0]["path"] == "envVars.0.key"


def test_a_branch_that_is_not_there(api: Api, ids: Ids, error: Callable[..., Any]) -> None:
    response = api.post("/runs", json={"pipelineId": ids.pipeline, "branch": "none"})
    assert error(response)[:2] == (400, "Bad Request")
    assert response.json["details"][0]["path"] == "branch"


def test_a_source_of_another_application(api: Api, place: Place, ids: Ids, error: Callable[..., Any]) -> None:
    from tests.factories import make_project

    other = make_pipeline(place.core, make_project(place.core, creator=place.users["maintainer"]))
    body = {"pipelineId": ids.pipeline, "sourceRunId": id_of(other)}
    response = api.post("/runs", json=body)
    assert error(response)[:2] == (400, "Bad Request")
    assert response.json["details"][0]["path"] == "sourceRunId"
    assert api.post("/runs", json=body | {"sourceRunId": UNKNOWN}).status_code == 404


def test_ids_of_the_wrong_form(api: Api, error: Callable[..., Any]) -> None:
    for kind in ("runs", "runsteps", "pipelines", "workflows", "tokens"):
        for identity in ("1", "577a4dbc3ec144923a02b6f", "577a4dbc3ec144923a02b6fg", "%00" * 24):
            status = error(api.get(f"/{kind}/{identity}"))[0]
            assert status == (404 if "%00" in identity else 400)


def test_ids_that_name_nothing(api: Api, place: Place, ids: Ids, error: Callable[..., Any]) -> None:
    """Also those whose kind or second is not that of the row."""
    run = ids.run
    wrong_second = f"{int(run[:8], 16) - 1:08x}{run[8:]}"
    for identity in (UNKNOWN, wrong_second, f"{run[:8]}01{run[10:]}", f"{run[:10]}{'f' * 14}"):
        assert error(api.get(f"/runs/{identity}")) == (404, "Not Found", "Run not found")
    for identity in (UNKNOWN, run):
        for kind, name in (("runsteps", "Step"), ("pipelines", "Pipeline"), ("workflows", "Workflow")):
            assert error(api.get(f"/{kind}/{identity}")) == (404, "Not Found", f"{name} not found")
    assert api.get(f"/runs/{run.upper()}").json["id"] == run


def test_unknown_applications(api: Api, error: Callable[..., Any]) -> None:
    for path in (
        "/applications/acme/none",
        "/applications/no/where",
        "/applications/1/2/3",
        f"/runs?applicationId={UNKNOWN}",
    ):
        assert error(api.get(path)) == (404, "Not Found", "Application not found")


def test_unknown_addresses_and_verbs(api: Api, error: Callable[..., Any]) -> None:
    assert error(api.get("/planets")) == (404, "Not Found", "Not Found")
    assert error(api.get("/api/v2/planets")) == (404, "Not Found", "Not Found")
    response = api.delete("/runs")
    assert error(response)[:2] == (405, "Method Not Allowed")
    assert "POST" in response.headers["Allow"]


def test_a_body_that_is_too_large(api: Api, error: Callable[..., Any]) -> None:
    assert error(api.post("/runs", data=b"x" * (5 << 20), content_type="application/json"))[0] == 413


def test_what_goes_wrong_inside_stays_inside(
    api: Api, ids: Ids, error: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("app.api.wercker_v3.runs.entities.run", fail)
    api.client.application.testing = False
    status, name, message = error(api.get(f"/runs/{ids.run}"))
    assert (status, name) == (500, "Internal Server Error")
    assert "secret" not in message


def test_headers_are_those_that_clients_know(api: Api, ids: Ids) -> None:
    response = api.get(f"/runs/{ids.run}")
    assert response.headers["Cache-Control"] == "private, no-cache, no-store, must-revalidate"
    assert response.content_type == "application/json; charset=utf-8"
    assert response.headers["ETag"].startswith("W/")
    again = api.get(f"/runs/{ids.run}", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert "X-Wercker-Trace-Id" in api.post("/tokens", json={"name": "x"}).headers


class TestTokens:
    def test_a_token_in_the_query(self, api: Api, place: Place, ids: Ids) -> None:
        token = place.tokens["reporter"]
        assert api.get(f"/runs/{ids.run}?token={token}", token=None).status_code == 200
        assert api.post(f"/tokens?token={token}", json={"name": "x"}, token=None).status_code == 200

    def test_a_token_that_opens_nothing(self, api: Api, place: Place, ids: Ids, error: Callable[..., Any]) -> None:
        """Is refused where everybody may read, too."""
        place.set(place.project, visibility="public")
        now = place.core.now()
        dead = place.token(place.users["owner"], revoked_at=now)
        late = place.token(place.users["owner"], expires_at=now - timedelta(seconds=1))
        for token in ("nonsense", "glpat-x", dead, late, "\u00e9"):
            expected = (401, "Unauthorized", "You are not authorized to access the resource")
            assert error(api.get(f"/runs/{ids.run}?token={token}", token=None)) == expected
        assert api.get(f"/runs/{ids.run}", token="nonsense").status_code == 401
        for header in ("Basic eDp5", "Bearer", "Digest x", "nonsense"):
            status = api.get(f"/runs/{ids.run}", token=None, headers={"Authorization": header}).status_code
            assert (header, status) == (header, 401)

    def test_a_token_that_may_only_read(self, api: Api, place: Place, ids: Ids) -> None:
        reading = place.token(place.users["owner"], scopes=["read_api"])
        assert api.get(f"/runs/{ids.run}", token=reading).status_code == 200
        assert api.put(f"/runs/{ids.run}/abort", token=reading).status_code == 403
        assert api.post("/tokens", json={"name": "more"}, token=reading).status_code == 403
        other = place.token(place.users["owner"], scopes=["read_user"])
        assert api.get(f"/runs/{ids.run}", token=other).status_code == 403

    def test_a_session_of_the_pages_is_no_caller(self, api: Api, place: Place, ids: Ids) -> None:
        with api.client.session_transaction() as cookie:
            admin = place.users["admin"]
            secret = begin_sign_in(place.core, admin)
            cookie.update({"_user_id": admin.get_id(), "_fresh": True, "sign_in": secret})
        assert api.put(f"/runs/{ids.run}/abort", token=None).status_code == 401


def test_who_is_answered_what(api: Api, place: Place, ids: Ids) -> None:
    """Of a private project, then of a public one; a project that one may not see is no different from none."""
    job = place.job(status="failed")
    step = step_id(job.steps[0])
    workflow = api.get(f"/workflows?applicationId={ids.application}").json[0]["id"]
    reads = [
        "/applications/acme/rocket/pipelines",
        f"/runs?applicationId={ids.application}",
        f"/runs?pipelineId={ids.pipeline}",
        f"/runs/{ids.run}",
        f"/runs/{ids.run}/steps",
        f"/runsteps/{step}",
        f"/runsteps/{step}/log",
        f"/pipelines/{ids.pipeline}",
        f"/workflows?applicationId={ids.application}",
        f"/workflows/{workflow}",
        f"/api/v2/applications/{ids.application}/cc/build",
    ]
    writes = [
        ("PUT", f"/runs/{ids.run}/abort", None),
        ("POST", "/runs", {"pipelineId": ids.pipeline, "branch": "none"}),
        ("PATCH", "/applications/acme/rocket", {"ignoredBranches": []}),
        ("POST", "/pipelines", {"application": ids.application, "name": "default"}),
    ]

    def answers(role: str) -> list[int]:
        token = place.tokens.get(role)
        found = [api.get(address, token=token).status_code for address in reads]
        assert len(set(found)) == 1, (role, found)
        return [
            found[0],
            *(api(method, address, token=token, json=body).status_code for method, address, body in writes),
        ]

    private = {role: answers(role) for role in ROLES}
    place.set(place.project, visibility="public")
    public = {role: answers(role) for role in ROLES}
    assert private == {
        "anonymous": [404, 401, 401, 401, 401],
        "stranger": [404, 404, 404, 404, 404],
        "guest": [200, 403, 403, 403, 403],
        "reporter": [200, 403, 403, 403, 403],
        "developer": [200, 200, 400, 403, 403],
        "maintainer": [200, 200, 400, 200, 400],
    }
    assert public == private | {"anonymous": [200, 401, 401, 401, 401], "stranger": [200, 403, 403, 403, 403]}
    place.set(place.project, public_jobs=False)
    assert (answers("anonymous")[0], answers("guest")[0], answers("reporter")[0]) == (403, 403, 200)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(
        ["limit", "skip", "status", "sort", "branch", "commit", "author", "sourceRun", "pipelineId", "tag"]
    ),
    value=st.text(max_size=30),
)
def test_no_query_makes_the_server_fail(api: Api, ids: Ids, name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return
    response = api.get("/runs", query_string={"applicationId": ids.application, name: value})
    assert response.status_code in (200, 400, 404)
