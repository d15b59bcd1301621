"""YAML to nodes: what is read, where it was, and what is refused."""

import time

import pytest

from app.dialects.gitlab import loader
from app.dialects.gitlab.nodes import Mapping, Node, deep_merge, to_plain
from app.dialects.gitlab.report import Report


def read(text: str) -> object:
    report = Report()
    documents = loader.load(text, "f", report)
    assert documents is not None
    assert not report.diagnostics()
    return to_plain(documents[0])


def node(text: str) -> Node:
    documents = loader.load(text, "f", Report())
    assert documents
    return documents[0]


def problems(text: str) -> list[str]:
    report = Report()
    loader.load(text, "f", report)
    return [str(found) for found in report.diagnostics()]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("On", True),
        ("FALSE", False),
        ("n", "n"),
        ("~", None),
        ("", None),
        ("'yes'", "yes"),
        ("!!str yes", "yes"),
        ("12", 12),
        ("1_000", 1000),
        ("1,000", 1000),
        ("-7", -7),
        ("0755", 493),
        ("0x1F", 31),
        ("0b11", 3),
        ("08", "08"),
        ("1:30", 90),
        ("1:00:00", 3600),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("1.2.3", "1.2.3"),
        ("2020-01-01", "2020-01-01"),
        ("1" * 100, "1" * 100),
        (".", "."),
        ("+", "+"),
        ("0_", "0_"),
        ("0x", "0x"),
    ],
)
def test_plain_scalars_are_read_as_yaml_1_1(text: str, value: object) -> None:
    found = read(f"a: {text}")
    assert found == {"a": value}
    assert type(found["a"]) is type(value)  # type: ignore[index]


def test_keys_are_read_like_values_and_kept_as_text() -> None:
    assert read("on: 1\n1: 2\n~: 3\n1.5: 4") == {"true": 1, "1": 2, "": 3, "1.5": 4}


def test_values_know_their_place() -> None:
    found = node("a: 1\nb:\n  - c: x\n")
    assert isinstance(found, Mapping)
    assert found.entries["b"].key_mark == ("f", 2, 1)
    assert found.entries["b"].value.mark == ("f", 3, 3)


def test_merge_keys_override_what_was_written_before_them_and_yield_to_what_comes_after() -> None:
    assert read("x: &x {a: 1, b: 1}\ny: {a: 2, <<: *x, b: 3}")["y"] == {"a": 1, "b": 3}  # type: ignore[index]
    assert read("x: &x {a: 1}\ny: &y {a: 2, b: 2}\nz: {<<: [*x, *y]}")["z"] == {"a": 1, "b": 2}  # type: ignore[index]


def test_duplicate_keys_are_reported_and_the_last_one_counts() -> None:
    assert problems("a: 1\nb: {c: 1, c: 2}\na: 2") == [
        "f:2:11: duplicate key `c`; the first is in line 2, and the last one counts",
        "f:3:1: duplicate key `a`; the first is in line 1, and the last one counts",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [\n", "f:2:1"),
        ("a:\n  b: c\n d: e\n", "f:3:2"),
        ("a: b: c", "f:1:5"),
        ("\ta: 1", "f:1:1"),
        ("a: *nobody", "f:1:4"),
        ("a: &a [*a]", "f:1:8"),
        ("a: &a {b: *a}", "f:1:11"),
        ("a: !unknown x", "f:1:4"),
        ("? [a]\n: b", "f:1:3"),
        ("a: {<<: 3}", "f:1:9"),
        ("a: !reference []", "f:1:4"),
        ("a: !reference [[x]]", "f:1:4"),
        ("a: \x00", "f:1:4"),
        ('a: "\\0"', "f:1:4"),
        ("a:\n  b\x1b", "f:2:4"),
        ("a: \ud800", "f:1:4"),
        ("a: " + "[" * 200 + "]" * 200, "f:1:103"),
        ("%YAML 9.0\n---\na", "f:1:1"),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_place(text: str, place: str) -> None:
    assert [
        problem.rpartition(": ")[0].startswith(place) or problem.startswith(place) for problem in problems(text)
    ] == [True]


def test_a_syntax_error_reads_as_it_does_in_gitlab() -> None:
    assert problems("a:\n  b: c\n d: e\n") == [
        "f:3:2: (<unknown>): did not find expected key while parsing a block mapping at line 1 column 1"
    ]


def test_aliases_that_multiply_are_refused_at_once() -> None:
    levels = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 60))
    started = time.process_time()
    assert "more than 100000 values" in problems("l0: &l0 x\n" + levels)[0]
    assert time.process_time() - started < 2


@pytest.mark.parametrize("text", ["- a\n" * 500_000, "[" * 1_000_000, "a" * 3_000_000, "{a: " * 200_000])
def test_two_megabytes_of_anything_are_answered_within_seconds(text: str) -> None:
    started = time.process_time()
    assert len(problems(text)) == 1
    assert time.process_time() - started < 5


def test_merging_is_deep_for_mappings_and_replaces_the_rest() -> None:
    lower, upper = node("{a: {b: 1, c: [1]}, d: 1}"), node("{a: {c: [2], e: 3}, f: 1}")
    assert to_plain(deep_merge(lower, upper)) == {"a": {"b": 1, "c": [2], "e": 3}, "d": 1, "f": 1}
    assert to_plain(lower) == {"a": {"b": 1, "c": [1]}, "d": 1}
