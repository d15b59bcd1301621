"""docs/reference/bad-days.md names tests that exist."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
PAGE = (TOP / "docs" / "reference" / "bad-days.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda text: text.rpartition("/")[2])
def test_a_named_test_exists(file: str, name: str) -> None:
    assert re.search(rf"^ *def {name}\(", (TOP / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_row_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 15
    assert [row for row in rows if not re.search(r"`tests/[\w/]+\.py::test_\w+`", row)] == []
