"""Errors have the words and shapes of gitlab.md B.0, and nothing answers 500."""

from datetime import timedelta

import pytest

from app.services.jobs import list_jobs
from tests.support.gitlab import Api
from tests.support.place import Place


def answer(response) -> tuple[int, object]:
    return response.status_code, response.json


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/nothing", 404, {"error": "404 Not Found"}),
        ("POST", "/projects/1/jobs/1/explode", 404, {"error": "404 Not Found"}),
        ("GET", "/", 404, {"error": "404 Not Found"}),
        ("PATCH", "/projects/1/jobs", 405, {"error": "405 Not Allowed"}),
        ("GET", "/projects/1/jobs/1/retry", 405, {"error": "405 Not Allowed"}),
        ("GET", "/projects/99", 404, {"message": "404 Project Not Found"}),
        ("GET", "/projects/no%2Fbody/jobs", 404, {"message": "404 Project Not Found"}),
        ("GET", "/projects/1/jobs/99", 404, {"message": "404 Not found"}),
        ("GET", "/projects/1/jobs/99999999999999999999", 400, {"error": "job_id is invalid"}),
        ("GET", "/projects/1/jobs/x", 400, {"error": "job_id is invalid"}),
        ("GET", "/projects/1/pipelines/99", 404, {"message": "404 Not found"}),
        ("GET", "/projects/1/variables/NOPE", 404, {"message": "404 Variable Not Found"}),
        ("GET", "/runners/99", 404, {"message": "404 Runner Not Found"}),
        ("GET", "/users/99", 404, {"message": "404 User Not Found"}),
        ("GET", "/projects/1/jobs/artifacts/main/download", 400, {"error": "job is missing"}),
        ("GET", "/projects/1/jobs?per_page=0", 400, {"error": "per_page has a value not allowed"}),
        ("POST", "/projects/1/variables", 400, {"error": "key is missing, value is missing"}),
        ("GET", "/projects/1/pipelines/latest", 403, {"message": "403 Forbidden"}),
    ],
)
def test_what_is_said(api: Api, place: Place, method: str, path: str, status: int, body: dict) -> None:
    if path.endswith("latest"):
        place.set(place.pipeline, ref="other")
    assert answer(api(method, path)) == (status, body)


def test_a_wrong_verb_names_the_right_ones(api: Api) -> None:
    assert set(api("PATCH", "/projects/1/jobs").headers["Allow"].split(", ")) >= {"GET"}


@pytest.mark.parametrize("body", ["{", "[]", '"text"', "5", "[" * 100_000, '{"key": NaN'])
def test_a_body_that_is_no_json_object_is_refused(api: Api, body: str) -> None:
    response = api.post("/projects/1/variables", data=body, content_type="application/json")
    assert response.status_code == 400
    assert set(response.json) == {"error"}


def test_a_body_that_is_too_large_is_refused(api: Api, place: Place) -> None:
    size = place.core.config.body_limit + 1
    response = api.post("/projects/1/variables", data=b"x" * size, content_type="application/json")
    assert answer(response) == (413, {"message": "413 Request Entity Too Large"})


@pytest.mark.parametrize("token", ["glpat-unknown", "x" * 5000, "gl\u00fcpat"])
def test_an_unknown_token_is_refused_even_where_nobody_needs_one(api: Api, token: str) -> None:
    headers = {"PRIVATE-TOKEN": token.encode().decode("latin-1")}
    assert answer(api.get("/projects", token=None, headers=headers)) == (401, {"message": "401 Unauthorized"})
    assert answer(api.get("/projects", token=None, query_string={"private_token": token}))[0] == 401


def test_tokens_that_no_longer_count(api: Api, place: Place) -> None:
    user, now = place.users["maintainer"], place.core.now()
    revoked = place.token(user, revoked_at=now)
    expired = place.token(user, expires_at=now - timedelta(seconds=1))
    for token in (revoked, expired):
        assert answer(api.get("/user", token=token)) == (401, {"message": "401 Unauthorized"})
    texts = {}
    for name, token in {"revoked": revoked, "expired": expired, "unknown": "x"}.items():
        response = api.get("/user", token=None, headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 401
        assert response.json["error"] == "invalid_token"
        assert response.headers["WWW-Authenticate"].startswith('Bearer realm="Protected by OAuth 2.0"')
        texts[name] = response.json["error_description"]
    assert texts["revoked"] == "Token was revoked. You have to re-authorize from the user."
    assert texts["expired"].startswith("Token is expired.")
    assert len(set(texts.values())) == 3


def test_a_blocked_user_has_no_token(api: Api, place: Place) -> None:
    assert api.get("/user").status_code == 200
    place.set(place.users["maintainer"], blocked=True)
    assert api.get("/user").status_code == 401


@pytest.mark.parametrize(
    ("scope", "read", "write", "runner", "own"),
    [
        ("api", 200, 201, 403, 200),
        ("read_api", 200, 403, 403, 200),
        ("read_user", 403, 403, 403, 200),
        ("read_repository", 403, 403, 403, 200),
        ("write_repository", 403, 403, 403, 200),
        ("create_runner", 403, 403, 201, 200),
    ],
)
def test_a_token_does_what_its_scope_allows(
    api: Api, place: Place, scope: str, read: int, write: int, runner: int, own: int
) -> None:
    job = place.job()
    token = place.token(place.users["maintainer"], scopes=[scope])
    assert api.get("/projects/1/jobs", token=token).status_code == read
    assert api.post(f"/projects/1/jobs/{job.id}/cancel", token=token).status_code == write
    assert api.get("/personal_access_tokens/self", token=token).status_code == own
    body = {"runner_type": "project_type", "project_id": 1}
    allowed = 201 if scope == "api" else runner
    assert api.post("/user/runners", token=token, json=body).status_code == allowed


def test_too_little_scope_says_which_one_it_takes(api: Api, place: Place) -> None:
    token = place.token(place.users["maintainer"], scopes=["read_api"])
    status, body = answer(api.post("/projects/1/jobs/1/retry", token=token))
    assert (status, body["error"], body["scope"]) == (403, "insufficient_scope", "api")
    token = place.token(place.users["maintainer"], scopes=["read_user"])
    assert answer(api.get("/projects/1", token=token))[1]["scope"] == "api read_api"


def test_a_fault_of_ours_is_logged_and_not_shown(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the inside of the server")

    monkeypatch.setattr(list_jobs, "project_jobs", fail)
    response = api.get("/projects/1/jobs")
    assert answer(response) == (500, {"message": "500 Internal Server Error"})
    (logged,) = [record.msg for record in caplog.records if record.levelname == "ERROR"]
    assert "the inside of the server" in str(logged)
    assert logged["request_id"] == response.headers["X-Request-Id"]


@pytest.mark.parametrize("kind", ["json", "data", "query_string"])
def test_parameters_come_as_json_form_or_query(api: Api, kind: str) -> None:
    values = {"key": f"KEY_{kind}", "value": "v"}
    response = api.post("/projects/1/variables", **{kind: values})
    assert (response.status_code, response.json["key"]) == (201, values["key"])


def test_parameters_come_as_multipart(api: Api) -> None:
    response = api.post("/projects/1/variables", data={"key": "KEY", "value": "v"}, content_type="multipart/form-data")
    assert response.status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/projects/1/jobs?page=99999999999999999"),
        ("GET", "/projects/1/jobs?page=-1"),
        ("GET", "/projects/1/jobs?per_page=-5"),
        ("GET", "/projects/1/jobs?scope[a][b]=c"),
        ("GET", "/projects/1/jobs?" + "a" + "[x]" * 40 + "=1"),
        ("GET", "/projects?search=%00"),
        ("GET", "/projects?search=%FF"),
        ("GET", "/projects?id_after=99999999999999999999"),
        ("GET", "/projects?pagination=keyset&order_by=id&cursor=%F0%9F"),
        ("GET", "/projects?pagination=keyset&order_by=id&cursor=eyJpZCI6IngifQ"),
        ("GET", "/projects/1/pipelines?updated_after=0000"),
        ("GET", "/projects/%00"),
        ("GET", "/projects/-1"),
        ("GET", "/projects/9223372036854775808"),
        ("GET", "/projects/%C3%28/jobs"),
    ],
)
def test_nonsense_is_never_a_fault_of_ours(api: Api, method: str, path: str) -> None:
    response = api(method, path)
    assert response.status_code < 500
    assert response.is_json


def test_a_field_of_a_form_without_a_name_makes_no_sense(api: Api) -> None:
    body = b"--x\r\nContent-Disposition: form-data\r\n\r\nvalue\r\n--x--\r\n"
    response = api.post("/projects", data=body, content_type="multipart/form-data; boundary=x")
    assert (response.status_code, response.json) == (400, {"error": "a field of the form has no name"})
    for method, path in (("PUT", "/jobs/1"), ("POST", "/jobs/request"), ("POST", "/runners")):
        told = api(method, path, data=body, content_type="multipart/form-data; boundary=x")
        assert (told.status_code, told.is_json) == (400, True), path
