"""Declared parameters: conversion, defaults, and what is said of wrong ones."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api.gitlab_v4.errors import BadParams
from app.api.gitlab_v4.params import Kind, Param, read

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def problems(params: tuple[Param, ...], values: dict[str, Any]) -> str:
    with pytest.raises(BadParams) as caught:
        read(params, values)
    return str(caught.value.body["error"])


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Kind.TEXT, "a", "a"),
        (Kind.TEXT, "", ""),
        (Kind.TEXT, 5, "5"),
        (Kind.TEXT, True, "true"),
        (Kind.INTEGER, "7", 7),
        (Kind.INTEGER, -7, -7),
        (Kind.BOOLEAN, "true", True),
        (Kind.BOOLEAN, "0", False),
        (Kind.BOOLEAN, False, False),
        (Kind.BOOLEAN, 1, True),
        (Kind.TIME, "2015-12-24T15:51:21.880Z", datetime(2015, 12, 24, 15, 51, 21, 880000, UTC)),
        (Kind.TIME, "2015-12-24T16:51:21+01:00", datetime(2015, 12, 24, 15, 51, 21, tzinfo=UTC)),
        (Kind.TIME, "2015-12-24", datetime(2015, 12, 24, tzinfo=UTC)),
        (Kind.LIST, "a,b", ["a", "b"]),
        (Kind.LIST, ["a", "b"], ["a", "b"]),
        (Kind.LIST, {"1": "b", "0": "a"}, ["a", "b"]),
        (Kind.LIST, "", []),
        (Kind.OBJECT, {"a": 1}, {"a": "1"}),
    ],
)
def test_values_are_converted(kind: Kind, raw: Any, value: Any) -> None:
    assert read([Param("x", kind)], {"x": raw}) == {"x": value}


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (Kind.TEXT, ["a"]),
        (Kind.TEXT, {"a": "b"}),
        (Kind.TEXT, "a\0b"),
        (Kind.TEXT, "\ud800"),
        (Kind.INTEGER, "1.5"),
        (Kind.INTEGER, 1.5),
        (Kind.INTEGER, True),
        (Kind.INTEGER, "٣"),
        (Kind.INTEGER, "--1"),
        (Kind.INTEGER, "9" * 19),
        (Kind.INTEGER, 10**400),
        (Kind.INTEGER, "1" * 5000),
        (Kind.BOOLEAN, "maybe"),
        (Kind.BOOLEAN, [True]),
        (Kind.TIME, "yesterday"),
        (Kind.TIME, "0001-01-01T00:00:00+14:00"),
        (Kind.LIST, {"a": "b"}),
        (Kind.LIST, [["a"]]),
        (Kind.LIST, 5),
        (Kind.OBJECT, "a"),
        (Kind.OBJECTS, "a"),
        (Kind.OBJECTS, ["a"]),
    ],
)
def test_what_cannot_be_converted_is_invalid(kind: Kind, raw: Any) -> None:
    assert problems((Param("x", kind),), {"x": raw}) == "x is invalid"


def test_all_problems_are_named_at_once() -> None:
    params = (
        Param("ref", required=True),
        Param("page", Kind.INTEGER),
        Param("sort", values=("asc", "desc")),
        Param("job", blank=False),
    )
    said = problems(params, {"page": "x", "sort": "up", "job": ""})
    assert said == "ref is missing, page is invalid, sort does not have a valid value, job is empty"


def test_left_out_names_are_missing_or_their_default() -> None:
    params = (Param("a"), Param("b", default="x"), Param("c", Kind.BOOLEAN, default=False), Param("d", Kind.INTEGER))
    assert read(params, {"d": "", "unknown": "1"}) == {"b": "x", "c": False}
    assert read(params, {"a": None, "b": None}) == {"b": "x", "c": False}


def test_objects_are_checked_field_by_field() -> None:
    params = (Param("v", Kind.OBJECTS, fields=(Param("key", required=True), Param("raw", Kind.BOOLEAN))),)
    assert read(params, {"v": [{"key": "A", "raw": "1", "other": 1}]}) == {"v": [{"key": "A", "raw": True}]}
    assert problems(params, {"v": [{"key": "A"}, {"raw": "x"}]}) == "v[1][key] is missing, v[1][raw] is invalid"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(Kind), JSON)
def test_nothing_but_bad_params_is_ever_raised(kind: Kind, raw: Any) -> None:
    fields = (Param("key", required=True),) if kind is Kind.OBJECTS else ()
    said = "x{y}"
    try:
        read([Param("x{y}", kind, fields=fields)], {"x{y}": raw})
    except BadParams as refused:
        said = str(refused.body["error"])
    assert "x{y}" in said
