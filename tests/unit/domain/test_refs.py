"""Ref names, held against git itself, and the patterns that protect them."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import refs

names = st.text(st.sampled_from("ab/.@{}-~^:?*[\\ \x01\x7fé$;()lock"), max_size=8) | st.sampled_from(
    (
        "a.lock",
        "a.lock/b",
        "x/.y",
        "a..b",
        "@",
        "a@{b",
        "a/",
        "/a",
        "a//b",
        "a.",
        "$(touch x);--upload-pack=y",
        "HEAD",
        "-a",
    )
)


@given(names)
def test_a_slug_is_safe_in_a_host_name(name: str) -> None:
    assert re.fullmatch(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?", refs.slug(name))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("main", "main"),
        ("Feature/Über_1.2", "feature--ber-1-2"),
        ("-x-", "x"),
        ("a" * 62 + "/b", "a" * 62),
        ("!!!", ""),
    ],
)
def test_slugs_written_down_by_hand(name: str, expected: str) -> None:
    assert refs.slug(name) == expected


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_the_same_names_are_valid_as_for_git() -> None:
    samples = [
        *(
            "main",
            "a/b",
            "ü",
            "a.lock",
            "a.lock/b",
            "x/.y",
            ".x",
            "a..b",
            "@",
            "a@{b",
            "a@b",
            "a/",
            "/a",
            "a//b",
            "a.",
            "a./b",
        ),
        *(
            "a b",
            "a~",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[",
            "a]",
            "a\\b",
            "a\x01",
            "a\x7f",
            "",
            "-a",
            "$(touch x);--upload-pack=y",
        ),
        *("$(touch${IFS}x);--upload-pack=y", "a{b", "HEAD", "x.lockk", "..", "."),
    ]
    by_git = {
        name
        for name in samples
        if subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False).returncode == 0
    }
    assert {name for name in samples if refs.is_valid_ref(f"refs/heads/{name}")} == by_git
    assert "main" in by_git


def test_a_name_that_looks_like_an_option_or_like_head_is_refused() -> None:
    assert [name for name in ("-a", "--upload-pack=y", "HEAD", "", "a") if refs.is_valid_name(name)] == ["a"]


def test_a_full_ref_is_taken_apart() -> None:
    assert refs.split("refs/heads/a/b") == refs.Ref("branch", "a/b")
    assert refs.split("refs/tags/v1").is_tag
    assert refs.split("refs/pipelines/1") == refs.Ref("other", "refs/pipelines/1")


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("main", "main", True),
        ("main", "main2", False),
        ("*", "anything/at/all", True),
        ("release/*", "release/1/2", True),
        ("release/*", "release", False),
        ("*-stable", "1-stable", True),
        ("*-stable", "1-stable-2", False),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "acb", False),
        ("ab*ba", "aba", False),
        ("v[0-9]", "v1", False),
        ("a.c", "abc", False),
    ],
)
def test_patterns_written_down_by_hand(pattern: str, name: str, expected: bool) -> None:
    assert refs.matches(pattern, name) is expected


@given(st.text("ab*", max_size=6), st.text("ab", max_size=8))
def test_a_pattern_matches_as_the_regular_expression_of_the_same_meaning(pattern: str, name: str) -> None:
    expression = ".*".join(re.escape(piece) for piece in pattern.split("*"))
    assert refs.matches(pattern, name) == bool(re.fullmatch(expression, name, re.DOTALL))


def test_a_pattern_of_many_stars_is_matched_in_no_time() -> None:
    assert not refs.matches("a*" * 2000 + "b", "a" * 20000)
