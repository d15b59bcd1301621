"""docs/reference/gitlab-api.md compares the server with GitLab, call by call: it leaves none out and makes none up."""

import re
from pathlib import Path

from flask import Flask
from werkzeug.exceptions import MethodNotAllowed, NotFound

from app.api.gitlab_v4 import PREFIX

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/gitlab-api.md").read_text()
_ROW = re.compile(r"\| `([A-Z ]+) (/\S+)` \| (yes|no) \| (.*?) ?\|")


def rows() -> dict[tuple[str, str], tuple[str, str]]:
    """Of each call: whether it is supported, and what differs."""
    found = [match.groups() for match in map(_ROW.fullmatch, PAGE.splitlines()) if match]
    calls = [(method, path, said, text) for methods, path, said, text in found for method in methods.split()]
    assert len(calls) == len({call[:2] for call in calls}), "a call stands there once"
    return {(method, path): (said, text) for method, path, said, text in calls}


def expected() -> dict[tuple[str, str], list[str]]:
    """The calls of the tables of expected endpoints, with their parameters."""
    folder = ROOT / "tests/contract/expected_endpoints"
    lines = [line for table in folder.glob("gitlab_*.tsv") for line in table.read_text().splitlines()]
    cells = [line.split("\t") for line in lines if not line.startswith("#")]
    return {(row[0], row[1]): row[2].split() for row in cells}


def test_every_call_that_is_there_is_on_the_page() -> None:
    assert {call for call, (said, _) in rows().items() if said == "yes"} == set(expected())


def test_what_is_said_to_be_missing_is_missing_and_has_a_reason(app: Flask) -> None:
    adapter, wrong = app.url_map.bind("localhost"), []
    for (method, path), (said, reason) in rows().items():
        if said == "no":
            try:
                adapter.match(PREFIX + re.sub(r":\w+", "1", path), method)
                wrong.append(f"{method} {path}")
            except (NotFound, MethodNotAllowed):
                assert reason
    assert wrong == []


def test_parameters_that_are_not_taken_are_named() -> None:
    found = rows()
    left_out = {(call, name[1:]) for call, names in expected().items() for name in names if name[0] == "-"}
    assert left_out
    assert [(call, name) for call, name in left_out if f"`{name}`" not in found[call][1]] == []
