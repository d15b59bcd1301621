"""Expansion of CI variables, and which keys and values are allowed (gitlab.md B.6, C.13)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import LimitExceeded
from app.domain.plan import Variable
from app.domain.variables import (
    EXPANSION_LIMIT,
    CircularReference,
    expand,
    expand_existing,
    maskable,
    sort_and_expand,
    valid_key,
)

values = st.text("AB$%{} x", max_size=12)


def values_of(*pairs: tuple[str, str], **options: bool) -> list[str]:
    return [found.value for found in sort_and_expand([Variable(key, value) for key, value in pairs], **options)]


@pytest.mark.parametrize(
    ("text", "expanded", "existing"),
    [
        ("$A-${A}-%A%", "1-1-1", "1-1-1"),
        ("$NO-${NO}-%NO%", "--", "$NO-${NO}-%NO%"),
        ("$$A %%A%", "$$A %%A%", "$$A %%A%"),
        ("$EMPTY.", ".", "."),
        ("$1 ${} $ 100%", "$1 ${} $ 100%", "$1 ${} $ 100%"),
        ("$A_B", "", "$A_B"),
        ("${A", "${A", "${A"),
    ],
)
def test_references_in_a_text(text: str, expanded: str, existing: str) -> None:
    mapping = {"A": "1", "EMPTY": ""}
    assert expand(text, mapping) == expanded
    assert expand_existing(text, mapping) == existing


def test_values_are_expanded_whatever_their_order() -> None:
    assert values_of(("C", "$B!"), ("B", "$A$A"), ("A", "x")) == ["xx!", "xx", "x"]


def test_the_last_definition_of_a_key_is_meant_and_its_own_key_means_the_one_before() -> None:
    assert values_of(("A", "1"), ("B", "$A"), ("A", "2")) == ["1", "2", "2"]
    assert values_of(("A", "1"), ("A", "$A 2")) == ["1", "1 2"]
    assert values_of(("A", "$A x")) == [" x"]
    assert values_of(("A", "$A x"), keep_undefined=True) == ["$A x"]


def test_a_circle_is_named() -> None:
    with pytest.raises(CircularReference, match=r'circular variable reference detected: \["') as refused:
        values_of(("A", "$B"), ("B", "$C"), ("C", "${A}"), ("D", "1"))
    assert set(refused.value.keys) == {"A", "B", "C"}


def test_raw_values_stay_and_so_do_references_that_the_runner_resolves() -> None:
    given_variables = [
        Variable("RAW", "$PLAIN", raw=True),
        Variable("FILE", "secret", file=True),
        Variable("PLAIN", "p"),
        Variable("ALL", "$RAW $FILE $PLAIN $NONE"),
    ]
    for_runner = sort_and_expand(given_variables, keep_undefined=True, expand_file_refs=False, expand_raw_refs=False)
    assert for_runner[3].value == "$RAW $FILE p $NONE"
    assert sort_and_expand(given_variables)[3].value == "$PLAIN secret p "
    assert for_runner[0].value == "$PLAIN"


def test_values_that_double_again_and_again_are_stopped() -> None:
    doubling = [Variable("V0", "x" * 100)] + [Variable(f"V{i}", f"$V{i - 1}" * 10) for i in range(1, 60)]
    with pytest.raises(LimitExceeded):
        sort_and_expand(doubling)
    with pytest.raises(LimitExceeded):
        expand("$A" * 2000, {"A": "x" * 1000})


def test_a_long_text_without_references_is_no_expansion() -> None:
    assert len(expand("x" * (EXPANSION_LIMIT + 1), {})) == EXPANSION_LIMIT + 1


def test_a_long_chain_is_no_deep_recursion() -> None:
    chain = [Variable(f"V{i}", f"$V{i + 1}") for i in range(5000)] + [Variable("V5000", "end")]
    assert sort_and_expand(chain)[0].value == "end"


@given(st.lists(st.tuples(st.sampled_from("ABCD"), values), max_size=6))
def test_keys_and_order_stay_and_all_that_is_defined_is_gone(pairs: list[tuple[str, str]]) -> None:
    given_variables = [Variable(key, value) for key, value in pairs]
    try:
        found = sort_and_expand(given_variables)
    except CircularReference:
        return
    assert [variable.key for variable in found] == [key for key, _ in pairs]


@given(values, st.dictionaries(st.sampled_from("AB"), st.text("xy", max_size=3)))
def test_expansion_of_existing_ones_and_then_of_all_is_expansion_of_all(text: str, mapping: dict[str, str]) -> None:
    if "$$" not in text and "%%" not in text and all(mapping.values()):
        assert expand(expand_existing(text, {}), mapping) == expand(text, mapping)


@pytest.mark.parametrize(
    ("value", "raw", "expected"),
    [
        ("abcdefgh", False, True),
        ("abcdefg", False, False),
        ("with space", False, False),
        ("two\nlines!", True, False),
        ("aA0_-+/=@:.~", False, True),
        ("dollar$ign", False, False),
        ("dollar$ign", True, True),
        ("abcdefgh\n", False, False),
        ("äöüäöüäöü", False, False),
    ],
)
def test_what_can_be_masked(value: str, raw: bool, expected: bool) -> None:
    assert maskable(value, raw) is expected


def test_what_can_be_a_key() -> None:
    assert [key for key in ("A", "a_1", "1", "", "A-B", "A B", "ä", "A\n", "x" * 256) if valid_key(key)] == [
        "A",
        "a_1",
        "1",
    ]
