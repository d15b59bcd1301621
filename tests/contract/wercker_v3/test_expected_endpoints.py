"""Every call that Wercker's documentation and later answers know, and no other.

The table, which is written by hand, is compared with the routes, their parameters and what they really answer.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from flask import Flask

from app.api.wercker_v3 import ENDPOINTS
from app.api.wercker_v3.entities.common import id_of, step_id
from app.models import CiVariable
from app.services.projects.ci_variables import add_variable
from tests.git_client import Checkout
from tests.support.place import Place
from tests.support.wercker import Api, Ids

TABLE = Path(__file__).parents[1] / "expected_endpoints" / "wercker.tsv"
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "dialects.md"
UNKNOWN = "577a4dbc3ec144923a02b6f9"
#: Provoked by a test of its own: test_runs, test_rules_that_leave_nothing_to_run.
ELSEWHERE = {("POST", "/api/v3/runs"): {422}}


class Row(NamedTuple):
    method: str
    path: str
    params: frozenset[str]
    statuses: frozenset[int]

    @property
    def call(self) -> tuple[str, str]:
        """Method and path, whatever the placeholders are called."""
        return self.method, re.sub(r":\w+", ":", self.path)


def read_table() -> list[Row]:
    lines = [line.split("\t") for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    return [
        Row(method, path, frozenset(params.split()), frozenset(map(int, statuses.split())))
        for method, path, params, statuses, _source in lines
    ]


#: Rows that say 404 and nothing else are of calls that are not there.
ROWS = [row for row in read_table() if row.statuses != {404}]
GONE = [row for row in read_table() if row.statuses == {404}]
PREFIXES = ("/api/v2/", "/api/v3/", "/api/spinnaker/", "/status/", "/project/")


def test_the_routes_are_those_of_the_table(app: Flask) -> None:
    served = {
        (method, re.sub(r"<(?:\w+:)?\w+>", ":", rule.rule).rstrip("/"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(PREFIXES)
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert {(method, path.rstrip("/")) for method, path in (row.call for row in ROWS)} == {
        (method, path) for method, path in served
    }
    assert len({row.call for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", GONE, ids=lambda row: f"{row.method} {row.path}")
def test_what_is_not_there_is_said_to_be_not_there(api: Api, row: Row) -> None:
    answer = api(row.method, row.path.replace(":", ""))
    assert (answer.status_code, answer.json["statusCode"], answer.json["error"]) == (404, 404, "Not Found")


def declared() -> dict[tuple[str, str], frozenset[str]]:
    return {
        (endpoint.method, prefix + re.sub(r"<(?:\w+:)?\w+>", ":", endpoint.path)): frozenset(
            param.name + ("*" if param.required else "") for param in endpoint.params
        )
        for prefix, endpoint in ENDPOINTS
    }


def test_the_parameters_are_those_of_the_table() -> None:
    assert {row.call: row.params for row in ROWS if row.path.startswith("/api/")} == declared()


def test_the_page_documents_every_call_and_parameter() -> None:
    rows = re.findall(r"^\| `([A-Z]+) (/api/(?:v[23]|spinnaker/v1)/\S+)` \| (.*?) ?\|$", PAGE.read_text(), re.MULTILINE)
    documented = {(method, re.sub(r":\w+", ":", path)) for method, path, _ in rows}
    assert documented == set(declared())
    said = {(method, re.sub(r":\w+", ":", path)): set(re.findall(r"`(\w+)`", text)) for method, path, text in rows}
    missing = {
        call: {param.rstrip("*") for param in params} - said[call]
        for call, params in declared().items()
        if not call[1].endswith(("/builds", "/deploys"))
    }
    assert {call: names for call, names in missing.items() if names} == {}


def test_every_endpoint_says_in_a_sentence_what_it_does() -> None:
    assert [endpoint.name for _, endpoint in ENDPOINTS if not (endpoint.view.__doc__ or "").strip()] == []


@pytest.fixture
def things(api: Api, place: Place, ids: Ids, pushed: Checkout) -> dict[str, str]:
    """A real value for every placeholder and every parameter that is an id."""
    workflow = api.get(f"/workflows?applicationId={ids.application}").json[0]["id"]
    add_variable(place.core, place.project, "KEY", "v", {})
    variable = id_of(place.core.session.get_one(CiVariable, 1))
    step = step_id(place.job().steps[0])
    return {
        "run": ids.run,
        "step": step,
        "username": "acme",
        "application": "rocket",
        "pipeline": ids.pipeline,
        "workflow": workflow,
        "variable": variable,
        "badge": place.project.badge_key,
        "size": "s",
        "branch": "main",
        "name": "default",
    }


#: What a call needs besides its path: a query for GET, a body for the others.
GIVEN: dict[tuple[str, str], dict[str, Any]] = {
    ("GET", "/api/v3/runs"): {"applicationId": "APPLICATION"},
    ("GET", "/api/v3/workflows"): {"applicationId": "APPLICATION"},
    ("GET", "/api/spinnaker/v1/runs"): {"pipelineIds": "PIPELINE"},
    ("GET", "/api/v3/envvars"): {"scope": "application", "target": "APPLICATION"},
    ("POST", "/api/v3/runs"): {"pipelineId": "PIPELINE"},
    ("POST", "/api/v3/pipelines"): {"application": "APPLICATION", "name": "deploy"},
    ("POST", "/api/v3/tokens"): {"name": "more"},
    ("PATCH", "/api/v3/tokens/:"): {"name": "other"},
    ("POST", "/api/v3/envvars"): {"scope": "application", "target": "APPLICATION", "key": "A", "value": ""},
    ("PATCH", "/api/v3/envvars/:"): {"value": "w"},
    ("PATCH", "/api/v3/applications/:/:"): {"ignoredBranches": []},
}
WRONG = {"limit": "x", "name": 1, "ignoredBranches": "x"}


class Caller:
    """Calls a row's address with real ids, unknown ones or nonsense."""

    def __init__(self, api: Api, place: Place, ids: Ids, things: dict[str, str]) -> None:
        self._api, self._place, self._ids, self._things = api, place, ids, things

    def __call__(self, row: Row, identity: str | None = None, *, token: str | None = "", **more: Any) -> int:
        values = self._things | {"token": self._new_token()}
        if row.path.startswith("/api/v2/"):
            values["application"] = self._ids.application
        if identity is not None:
            values = dict.fromkeys(values, identity)
        path = re.sub(r":(\w+)", lambda found: values[found[1]], row.path)
        ids = {"APPLICATION": identity or self._ids.application, "PIPELINE": identity or self._ids.pipeline}
        given = {key: ids.get(value, value) if isinstance(value, str) else value
                 for key, value in GIVEN.get(row.call, {}).items()} | more  # fmt: skip
        sent = {"query_string": given} if row.method in ("GET", "DELETE") else {"json": given}
        return self._api(row.method, path, token=token, **sent).status_code

    def _new_token(self) -> str:
        return str(self._api.post("/tokens", json={"name": "x"}).json["id"])

    def wrong(self, row: Row) -> int:
        """Nonsense in the path, or in the first parameter that can hold some."""
        names = [name.rstrip("*") for name in sorted(row.params)]
        more = {name: WRONG[name] for name in names if name in WRONG}
        return self(row, **more) if more else self(row, "x")


def test_every_call_answers_with_the_statuses_of_the_table(
    api: Api, place: Place, ids: Ids, things: dict[str, str]
) -> None:
    call = Caller(api, place, ids, things)
    narrow = place.token(place.users["maintainer"], scopes=["read_user"])
    found = {}
    for row in ROWS:
        seen = {call(row), call(row, UNKNOWN)}
        if row.path.startswith("/api/"):
            seen |= {call(row, token="nonsense"), call(row, token=narrow), call.wrong(row)}
        found[row.call] = frozenset(seen | ELSEWHERE.get(row.call, set()))
    assert found == {row.call: row.statuses for row in ROWS}
