"""What the documents say there is, written down by hand in expected_endpoints/layerci.tsv, against what there is."""

import csv
import re
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

import pytest
from flask import Flask

from app.api.layerci_v1.body import RunBody
from app.api.layerci_v1.callers import NEW_NAME, OLD_NAME
from tests.factories import make_project, make_token
from tests.support.layerci import LayerCi

TOP = Path(__file__).resolve().parents[3]
TABLE = TOP / "tests/contract/expected_endpoints/layerci.tsv"
PAGE = (TOP / "docs/reference/dialects.md").read_text()


SNAPSHOT = ":repo/:job_uuid/:runner_id/prioritize-snapshot"


class Row(NamedTuple):
    """One line of the table."""

    method: str
    path: str
    parameters: frozenset[str]
    statuses: frozenset[int]
    source: str


def rows() -> list[Row]:
    with TABLE.open() as file:
        return [
            Row(
                line["method"],
                line["path"],
                frozenset(line["parameters"].split()),
                frozenset(map(int, line["statuses"].split())),
                line["source"],
            )
            for line in csv.DictReader(file, delimiter="\t")
        ]


def test_the_routes_are_those_of_the_documents(app: Flask) -> None:
    served = {
        (method, re.sub(r"<(\w+)>", r":\1", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert served == {(row.method, row.path) for row in rows()}
    assert all(row.source for row in rows())


def test_the_reference_describes_each_call_and_all_its_parameters() -> None:
    described = {
        call: set(re.findall(r"`(\w+)`", parameters))
        for call, parameters in re.findall(r"^\| `([A-Z]+ /api/v1/\S+)` \|(.*?)\|", PAGE, re.MULTILINE)
    }
    expected = {f"{row.method} {row.path}": set(row.parameters) - {"token", "layertoken"} for row in rows()}
    assert described == expected


def test_what_a_run_is_started_with_is_what_the_documents_name() -> None:
    (row,) = (row for row in rows() if row.path == "/api/v1/run/:repo")
    assert {field.name for field in fields(RunBody)} == row.parameters - {"token", "layertoken"}
    assert {NEW_NAME, OLD_NAME} == {"token", "layertoken"}


def answers(layerci: LayerCi) -> dict[str, set[int]]:
    """With which statuses each call was answered, in calls of every kind."""
    layerci.create()
    calls = {
        "GET /api/v1/run/:repo/search": ("GET", "/run/repo_name/search"),
        "POST /api/v1/run/:repo": ("POST", "/run/repo_name"),
        "GET /api/v1/runners/:repo/:job_uuid": ("GET", "/runners/repo_name/1"),
        f"POST /api/v1/runners/{SNAPSHOT}": ("POST", "/runners/repo_name/1/build/prioritize-snapshot"),
        f"POST /api/v1/{SNAPSHOT}": ("POST", "/repo_name/1/build/prioritize-snapshot"),
    }
    weak = make_token(layerci.core, layerci.owner, "read_repository")[1]
    found: dict[str, set[int]] = {call: set() for call in calls}
    for call, (method, path) in calls.items():

        def ask(path: str, token: str = layerci.token, method: str = method, call: str = call, **given: str) -> None:
            query = {"token": token, "search": given.pop("search", "")}
            answer = layerci.client.open(f"/api/v1{path}", method=method, query_string=query, **given)
            assert answer.json["status"] == ("ok" if answer.status_code == 200 else "error")
            assert answer.status_code == 200 or answer.json.keys() == {"status", "error"}
            found[call].add(answer.status_code)

        ask(path)
        ask(path, token="")
        ask(path, token=weak)
        ask(path.replace("repo_name", "none"))
        ask(path.replace("repo_name", "twice"))
        ask(path, search=" ".join(chr(0x4E00 + number) for number in range(101)))
        ask(path, data="x", content_type="text/plain")
        ask(path, data='{"extra": "' + "x" * 130_000 + '"}')
    return found


def test_each_call_answers_with_the_statuses_that_are_written_down(layerci: LayerCi) -> None:
    for group in ("one", "two"):
        make_project(layerci.core, f"{group}/twice", creator=layerci.owner)
    assert answers(layerci) == {f"{row.method} {row.path}": set(row.statuses) for row in rows()}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/run/repo_name", 405),
        ("DELETE", "/api/v1/run/repo_name/search", 405),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/run/a/b/search", 404),
        ("GET", "/api/v1/run/a%00b/search", 404),
    ],
)
def test_what_is_no_call_is_refused_in_the_same_form(layerci: LayerCi, method: str, path: str, status: int) -> None:
    answer = layerci.client.open(path, method=method, query_string={"token": layerci.token})
    assert (answer.status_code, answer.json["status"]) == (status, "error")
    assert (status == 405) == ("Allow" in answer.headers)


def test_a_body_that_is_too_large_is_refused_in_the_same_form(layerci: LayerCi) -> None:
    answer = layerci.post(data=b"{" + b" " * layerci.core.config.body_limit)
    assert (answer.status_code, answer.json["status"]) == (413, "error")
