"""Flat form fields become nested values."""

import pytest

from app.api.gitlab_v4.nesting import MAX_DEPTH, TooDeep, nest


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([("a", "1")], {"a": "1"}),
        ([("a", "1"), ("a", "2")], {"a": "2"}),
        ([("a[]", "1"), ("a[]", "2")], {"a": ["1", "2"]}),
        ([("a[0]", "1"), ("a[1]", "2")], {"a": {"0": "1", "1": "2"}}),
        ([("filter[environment_scope]", "x")], {"filter": {"environment_scope": "x"}}),
        (
            [("v[][key]", "A"), ("v[][value]", "1"), ("v[][key]", "B"), ("v[][value]", "2")],
            {"v": [{"key": "A", "value": "1"}, {"key": "B", "value": "2"}]},
        ),
        ([("a[b][c]", "1"), ("a[b][d]", "2")], {"a": {"b": {"c": "1", "d": "2"}}}),
        ([("a", "1"), ("a[]", "2")], {"a": ["2"]}),
        ([("a[]", "2"), ("a[x]", "1")], {"a": {"x": "1"}}),
        ([("[]", "1")], {"[]": "1"}),
        ([("a[", "1")], {"a[": "1"}),
        ([("a]b", "1")], {"a]b": "1"}),
        ([("a[b]c", "1")], {"a[b]c": "1"}),
        ([("", "1")], {"": "1"}),
    ],
)
def test_names_say_where_values_belong(fields: list[tuple[str, str]], expected: dict) -> None:
    assert nest(fields) == expected


def test_depth_is_bounded() -> None:
    assert nest([("a" + "[x]" * (MAX_DEPTH - 1), "1")])
    with pytest.raises(TooDeep):
        nest([("a" + "[x]" * MAX_DEPTH, "1")])
