"""JSPath answers as its reference implementation does: `jspath_answers.json` holds what that one said."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.candor.jspath import UNDEFINED, JsPathError, evaluate

RECORDED = json.loads((Path(__file__).parent / "jspath_answers.json").read_text())


@pytest.mark.parametrize("recorded", RECORDED["answers"], ids=lambda one: one["expression"] or "empty")
def test_an_expression_finds_what_the_reference_finds(recorded: dict[str, Any]) -> None:
    answer = recorded["answer"]
    if "error" in answer:
        with pytest.raises(JsPathError):
            evaluate(recorded["expression"], RECORDED["data"])
        return
    found = evaluate(recorded["expression"], RECORDED["data"])
    assert found is UNDEFINED if "undefined" in answer else found == answer["value"]


def test_substitutions_are_not_part_of_it() -> None:
    with pytest.raises(JsPathError):
        evaluate("$x", {})


@given(st.text(alphabet=".ab*[]{}()|^:0=<>!&-+'\" $", max_size=40))
def test_any_text_is_an_expression_or_refused(expression: str) -> None:
    with suppress(JsPathError):
        evaluate(expression, RECORDED["data"])


@pytest.mark.parametrize("expression", [".a" * 1500, "(" * 50 + ".a" + ")" * 50, ".a{" * 45 + "1" + "}" * 45])
def test_expressions_that_are_too_large_are_refused(expression: str) -> None:
    with pytest.raises(JsPathError):
        evaluate(expression, {"a": 1})


def test_an_expression_that_would_take_too_long_is_given_up() -> None:
    many = {"a": [{"b": list(range(1000))} for _ in range(1000)]}
    with pytest.raises(JsPathError):
        evaluate(".a{.b === ^.a.b}", many)
