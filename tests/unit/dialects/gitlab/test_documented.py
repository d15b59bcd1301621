"""docs/reference/gitlab-ci.md says of every keyword whether it is supported, and the compiler agrees."""

import re
from pathlib import Path

import pytest

from app.dialects.gitlab import keywords
from tests.unit.dialects.gitlab.answers import errors

PAGE = (Path(__file__).parents[4] / "docs/reference/gitlab-ci.md").read_text()
ROW = re.compile(r"^\| `([\w:]+)` \| (yes|see|declined) \|(.*)\|$", re.MULTILINE)
SECTIONS = {text.partition("\n")[0]: ROW.findall(text) for text in PAGE.split("\n## ")}
JOB = {name: said for name, said, _ in SECTIONS["In a job"]}
INSIDE = {name: said for name, said, _ in SECTIONS["In a keyword"]}
NONSENSE = "{nonsense: {deeper: [[1]]}}"


def said_inside(name: str) -> list[str]:
    """What is said to a senseless value of a key inside a keyword of a job."""
    keyword, _, key = name.partition(":")
    item = f"{{{key}: {NONSENSE}}}"
    listed = f"[{item}]" if keyword in ("needs", "rules", "services") else item
    return errors(f"a:\n  script: x\n  {keyword}: {listed}\n")


def test_every_keyword_at_the_top_has_its_row() -> None:
    assert sorted(name for name, _, _ in SECTIONS["At the top"]) == sorted(keywords.GLOBAL)


def test_every_keyword_of_a_job_has_its_row() -> None:
    assert sorted(JOB) == sorted({*keywords.JOB, "trigger"})


def test_what_default_holds_is_listed() -> None:
    (listed,) = re.findall(r"^`default` holds (.*?)\. ", PAGE, re.MULTILINE | re.DOTALL)
    assert sorted(re.findall(r"`(\w+)`", listed)) == sorted({*keywords.DEFAULTS} - {"identity"})


@pytest.mark.parametrize("name", [name for name, said in JOB.items() if said == "yes"])
def test_what_is_supported_is_compiled(name: str) -> None:
    assert name not in keywords.NOT_COMPILED


@pytest.mark.parametrize("name", [name for name, said in JOB.items() if said == "declined"])
def test_what_is_declined_says_so(name: str) -> None:
    assert name in keywords.NOT_COMPILED
    assert any(f"`{name}` is " in line for line in errors(f"a:\n  script: x\n  {name}: {{}}\n"))


@pytest.mark.parametrize("name", INSIDE)
def test_a_key_inside_a_keyword_is_known(name: str) -> None:
    key = name.partition(":")[2]
    said = said_inside(name)
    assert said
    assert not any(f"unknown keys: {key}" in line for line in said)
    assert any("declined" in line for line in said) == (INSIDE[name] == "declined")


def test_a_row_that_differs_says_how() -> None:
    rows = [row for section in SECTIONS.values() for row in section]
    assert all(text.strip() for _, said, text in rows if said != "yes")
