"""Every keyword that the compiler knows has a scenario, and those that need a container a test that runs one."""

import re
from pathlib import Path

import pytest

from app.dialects.gitlab import keywords
from tests.scenarios import coverage

ROOT = Path(__file__).parents[2]
IN_CONTAINERS = Path(__file__).with_name("in_containers.txt").read_text()


@pytest.fixture(scope="module")
def rows() -> dict[coverage.Row, str]:
    return coverage.table()


def test_every_keyword_has_a_scenario(rows: dict[coverage.Row, str]) -> None:
    assert [row for row, scenario in rows.items() if not scenario] == []


def test_no_keyword_of_the_top_a_job_or_default_is_missing_in_the_table(rows: dict[coverage.Row, str]) -> None:
    wanted = {("", key) for key in keywords.GLOBAL} | {("default", key) for key in keywords.DEFAULTS}
    assert wanted | {("job", key) for key in (*keywords.JOB, "trigger")} <= set(rows)


def test_the_table_that_is_committed_is_the_table(rows: dict[coverage.Row, str]) -> None:
    said = "write it anew with: python -m tests.scenarios.coverage"
    assert coverage.TABLE.read_text() == coverage.written(rows), said


def test_what_only_a_container_shows_is_shown_in_one() -> None:
    listed = [line.split() for line in IN_CONTAINERS.splitlines() if line and not line.startswith("#")]
    known = {key for _, key in coverage.table()}
    for keyword, place in listed:
        path, _, name = place.partition("::")
        assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE), place
        assert keyword.rpartition(":")[2] in known, keyword
