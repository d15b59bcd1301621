"""No group can stand in front of our own pages."""

import re
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidRequest
from app.domain.plan import Variable
from app.services.projects.paths import RESERVED_ANYWHERE, RESERVED_GROUPS, split_path
from app.services.repositories.push_options import AskedMergeRequest, parse_push_options


def test_the_first_segment_of_every_route_is_reserved(app: Flask) -> None:
    rules = [rule.rule for rule in app.url_map.iter_rules()]
    first = {rule.split("/")[1] for rule in rules} - {""}
    assert {segment for segment in first if "<" not in segment} <= RESERVED_GROUPS | RESERVED_ANYWHERE


def test_what_follows_a_repositorys_address_is_no_name_of_a_project() -> None:
    for name in ("info", "git-upload-pack", "git-receive-pack", "-"):
        with pytest.raises(InvalidRequest):
            split_path(f"group/{name}")


@given(st.text())
def test_any_text_is_a_path_or_refused(text: str) -> None:
    try:
        segments = split_path(f"group/{text}")
    except InvalidRequest:
        return
    assert all(segment.isascii() and segment not in (".", "..") for segment in segments)


@pytest.mark.parametrize(
    ("options", "skip", "no_pipeline", "variables", "ignored"),
    [
        (["ci.skip"], True, False, (), ()),
        (["CI.Skip", "ci.no_pipeline"], True, True, (), ()),
        (['ci.variable="A=b=c"', "ci.variable=A=d", "ci.variable=B="], False, False, (("A", "d"), ("B", "")), ()),
        (["ci.variable=A", "ci.variable=a b=c", "x=y", ""], False, False, (), ("ci.variable", "x", "")),
        ([], False, False, (), ()),
    ],
)
def test_push_options_are_understood_or_named(
    options: list[str], skip: bool, no_pipeline: bool, variables: tuple[tuple[str, str], ...], ignored: tuple[str, ...]
) -> None:
    found = parse_push_options(options)
    assert (found.skip, found.no_pipeline, found.ignored) == (skip, no_pipeline, ignored)
    assert found.variables == tuple(Variable(key, value, public=False) for key, value in variables)


def test_the_options_that_docs_name_are_understood() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/push-options.md").read_text()
    rows = re.findall(r"^\| (`.*?`) \|", page, re.MULTILINE)
    options = [option for row in rows for option in re.findall(r"`(.*?)`", row)]
    assert len(options) == 10
    found = parse_push_options(options)
    assert (found.skip, found.no_pipeline, len(found.variables), len(found.inputs)) == (True, True, 1, 1)
    assert found.merge_request == AskedMergeRequest("BRANCH", "…", "…", True, ("…",))
    assert found.ignored == ()


def test_a_merge_request_is_asked_for_with_create_and_the_last_word_counts() -> None:
    options = ["mr.create", 'MR.Target="next"', "merge_request.target=", "mr.title=one", "mr.title=two", "mr.label=a"]
    assert parse_push_options(options).merge_request == AskedMergeRequest("next", "two", labels=("a",))
    assert parse_push_options(["merge_request.title=one"]).merge_request is None


def test_inputs_are_texts_by_name_and_the_last_counts() -> None:
    found = parse_push_options(["ci.input=a=1", 'ci.input="b=[1, 2]"', "ci.input=a=x=y", "CI.Input=c="])
    assert found.inputs == (("a", "x=y"), ("b", "[1, 2]"), ("c", ""))


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("merge_request.assign=secret", "nobody merges, reviews or assigns"),
        ("MR.title=secret", "that takes merge_request.create"),
        ("integrations.skip_ci", "no integrations"),
        ("ci.variable=secret", 'KEY=value"'),
        ("ci.input=secret", 'name=value"'),
        ("ci.skp", "not known here"),
        ("merge_request", "not known here"),
    ],
)
def test_an_option_that_comes_to_nothing_says_why_but_not_its_value(option: str, said: str) -> None:
    (note,) = parse_push_options([option]).notes
    assert said in note
    assert "ignored" in note
    assert "secret" not in note
