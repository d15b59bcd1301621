"""Who may call what, proven for every route of the server: routes.txt is the whole truth."""

import re
from base64 import b64encode
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from app import crypto
from app.api.gitlab_v4.endpoint import Endpoint
from app.models import Setting, User, write
from app.services.accounts.sign_ins import begin_sign_in
from tests.factories import make_manager, make_pipeline, make_runner
from tests.support.place import Place, zipped

KINDS = ("anonymous", "token", "session", "job", "runner", "basic", "registration")
VERBS = ("GET", "PUT", "PATCH", "POST", "DELETE")
VALUES = {
    "full_path": "acme/rocket",
    "path": "acme/rocket",
    "ref_name": "main",
    "artifact_path": "a",
    "key": "NAME",
    "filename": "x",
    "folder": "a",
    "file": "a",
    "verb": "pause",
    "tag_name": "v1",
    "prefix": "docs",
}
#: What a route has to be given before it looks at anything else.
NEEDED: dict[str, dict[str, Any]] = {
    "info/refs": {"query": {"service": "git-upload-pack"}},
    "git-upload-pack": {"headers": {"Content-Type": "application/x-git-upload-pack-request"}},
    "git-receive-pack": {"headers": {"Content-Type": "application/x-git-receive-pack-request"}},
    "trace": {"headers": {"Content-Range": "0-0"}, "data": b"x"},
    "job_id>": {"query": {"state": "running"}},
}


#: Called last: after it there is nothing to call the others about.
REMOVES_ALL = "DELETE /api/v4/projects/<id>"
#: 401 is its answer to a wrong password.
SIGN_IN = "POST /-/sign_in"


class Row(NamedTuple):
    """One line of the table."""

    method: str
    rule: str
    callers: frozenset[str]

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def read_table() -> list[Row]:
    lines = (Path(__file__).parent / "routes.txt").read_text().splitlines()
    rows = []
    for line in lines:
        if line and not line.startswith("#"):
            method, rule, *callers = line.split()
            rows.append(Row(method, rule, frozenset(callers)))
    return sorted(rows, key=lambda row: (VERBS.index(row.method), str(row) == REMOVES_ALL))


TABLE = read_table()


def routes(app: Flask) -> list[tuple[str, str, Any]]:
    """Method, address and view of each. What a placeholder takes is left out: `<int:job_id>` is `<job_id>`."""
    return [
        (method, re.sub(r"<[^<>]*:(\w+)>", r"<\1>", rule.rule), app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    ]


def test_the_table_lists_every_route_once(app: Flask) -> None:
    served = sorted((method, rule) for method, rule, _ in routes(app))
    assert sorted((row.method, row.rule) for row in TABLE) == served


def test_the_table_says_what_endpoints_declare(app: Flask) -> None:
    names = {"user": {"token", "session"}, "job": {"job"}, "anonymous": {"anonymous"}}
    declared = {
        (method, rule): set().union(*(names[kind] for kind in view.callers))
        for method, rule, view in routes(app)
        if isinstance(view, Endpoint)
    }
    table = {(row.method, row.rule): set(row.callers) for row in TABLE}
    assert {key: table[key] for key in declared} == declared


def test_only_known_callers_are_in_the_table() -> None:
    assert {caller for row in TABLE for caller in row.callers} <= set(KINDS)
    assert all(row.callers for row in TABLE)


class Caller:
    """Calls each route with one kind of credential, all of them real, and made anew because calls may use them up."""

    def __init__(self, app: Flask, place: Place, kind: str) -> None:
        self._app, self._place, self._kind = app, place, kind
        runner, _ = make_runner(place.core)
        make_manager(place.core, runner)
        place.set(place.project, visibility="public")
        self._job = self._new_job()

    def _new_job(self) -> Any:
        pipeline = make_pipeline(self._place.core, self._place.project, user=self._place.users["admin"])
        self._place.pipeline = pipeline
        job = self._place.job(status="running", runner_id=1)
        self._place.archive(job, zipped({"a": b"1"}))
        return job

    def __call__(self, row: Row) -> TestResponse:
        headers, session = self._credentials(row)
        raw = "0123456789"
        signer = URLSafeTimedSerializer(self._app.secret_key, salt="wtf-csrf-token")
        client = self._app.test_client()
        with client.session_transaction() as cookie:
            cookie.update({"csrf_token": raw, **session})
        headers["X-CSRF-Token"] = signer.dumps(raw)
        needed = next((given for end, given in NEEDED.items() if row.rule.endswith(end)), {})
        query = needed.get("query", {}) | ({"token": headers.pop("?token")} if "?token" in headers else {})
        headers |= needed.get("headers", {})
        response = client.open(
            address(row, self._job.id), method=row.method, headers=headers, query_string=query, data=needed.get("data")
        )
        response.close()
        return response

    def _credentials(self, row: Row) -> tuple[dict[str, str], dict[str, Any]]:
        place, git = self._place, ".git" in row.rule or row.rule.endswith(("-pack", "info/refs"))
        admin = place.core.session.get_one(User, place.users["admin"].id)
        if self._kind == "token":
            token = place.token(admin)
            if row.rule.startswith("/api/v1/"):
                return {"?token": token}, {}
            return {"PRIVATE-TOKEN": token, "Authorization": f"Bearer {token}"}, {}
        if self._kind == "session":
            return {}, {"_user_id": admin.get_id(), "_fresh": True, "sign_in": begin_sign_in(place.core, admin)}
        if self._kind == "job":
            self._job = self._new_job() if "job" in row.callers else self._job
            token = place.job_token(self._job)
            return (basic("gitlab-ci-token", token) if git else {"JOB-TOKEN": token}), {}
        if self._kind == "runner":
            _, plain = make_runner(place.core)
            return {"Runner-Token": plain, "?token": plain}, {}
        if self._kind == "basic":
            return basic("root", place.token(admin)), {}
        if self._kind == "registration":
            return {"?token": registration_token(place)}, {}
        return {}, {}


def address(row: Row, job_id: int = 1) -> str:
    """The row's address with its placeholders filled in."""
    values = VALUES | {"job_id": str(job_id)} | ({"verb": "block"} if "/users/" in row.rule else {})
    return re.sub(r"<(\w+)>", lambda name: values.get(name[1], "1"), row.rule)


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


def registration_token(place: Place) -> str:
    """A token to register runners with, which replaces the one there is."""
    token = crypto.new_token("GR")
    setting = place.core.session.get_one(Setting, "registration_token_hash")
    with write(place.core.session):
        setting.value = crypto.token_hash(token)
    return token


def refused(row: Row, response: TestResponse) -> bool:
    """Whether the answer says that the caller is not known, or nobody who may call this at all.

    A runner reads reasons only in words, so in its protocol every 403 counts; elsewhere a reason means something else.
    """
    if response.status_code == 302:
        return "/-/sign_in" in response.location
    if response.status_code == 401:
        return True
    body = response.get_json(silent=True)
    said = str(body.get("message", "")) if isinstance(body, dict) else ""
    if response.status_code == 400:
        return "token is missing" in said
    of_runners = row.callers <= {"runner", "job", "registration"}
    return response.status_code == 403 and (not response.is_json or of_runners or said.rstrip(" -") == "403 Forbidden")


@pytest.mark.parametrize("kind", KINDS)
def test_each_route_is_open_to_its_callers_and_refuses_all_others(app: Flask, place: Place, kind: str) -> None:
    call = Caller(app, place, kind)
    wrong = []
    for row in TABLE:
        response = call(row)
        if kind in row.callers and refused(row, response) and str(row) != SIGN_IN:
            wrong.append(f"{row} refused {kind}: {response.status_code} {response.get_data()[:120]!r}")
        if not {kind, "anonymous"} & row.callers and not refused(row, response):
            wrong.append(f"{row} let {kind} in: {response.status_code} {response.get_data()[:120]!r}")
    assert wrong == []


def test_a_session_writes_only_with_the_token_of_its_pages(app: Flask, place: Place) -> None:
    """Another site can make a browser send the cookie, but cannot read the token."""
    wrong = []
    for row in TABLE:
        if "session" in row.callers and row.method != "GET":
            admin = place.core.session.get_one(User, place.users["admin"].id)
            client = app.test_client()
            with client.session_transaction() as cookie:
                secret = begin_sign_in(place.core, admin)
                cookie.update({"csrf_token": "x", "_user_id": admin.get_id(), "sign_in": secret})
            response = client.open(address(row), method=row.method, buffered=True)
            if response.status_code not in (400, 401, 403):
                wrong.append(f"{row}: {response.status_code}")
    assert wrong == []
