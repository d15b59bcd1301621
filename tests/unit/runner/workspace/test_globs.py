"""The globs of artifacts: doublestar's rules."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.workspace.globs import Glob, GlobError


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("a", "a"),
        ("./a/", "a"),
        ("a/../b", "b"),
        ("*.log", ".log"),
        ("*.log", "x.log"),
        ("**", "a/b/c"),
        ("**/*.xml", "a.xml"),
        ("**/*.xml", "a/b/c.xml"),
        ("a/**/z", "a/z"),
        ("a/**/z", "a/b/c/z"),
        ("a/**", "a"),
        ("a?c", "abc"),
        ("[a-c]x", "bx"),
        ("[^a-c]x", "dx"),
        ("[!a-c]x", "dx"),
        ("{a,b/{c,d}}.txt", "b/d.txt"),
        (r"\*", "*"),
        (r"a\{b", "a{b"),
        ("{a", "{a"),
        ("a**b", "axxb"),
        ("x y/ü", "x y/ü"),
    ],
)
def test_a_pattern_matches(pattern: str, path: str) -> None:
    assert Glob(pattern).matches(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*", "a/b"),
        ("a?b", "a/b"),
        ("a*", "ba"),
        ("[a-c]", "d"),
        ("a/**/z", "a/zz"),
        (r"\*", "a"),
        ("a.b", "axb"),
        ("A", "a"),
        ("**/x", "x/y"),
        ("a**b", "a/b"),
    ],
)
def test_a_pattern_does_not_match(pattern: str, path: str) -> None:
    assert not Glob(pattern).matches(path)


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../x", "a/../../x", "a/{b,../../../x}", "{/etc,x}"])
def test_what_leads_out_of_the_tree_is_refused(pattern: str) -> None:
    with pytest.raises(GlobError):
        Glob(pattern)


def test_braces_cannot_explode() -> None:
    with pytest.raises(GlobError, match="too many"):
        Glob("{a,b}" * 30)


def test_many_stars_are_quick() -> None:
    assert not Glob("*a" * 40 + "b").matches("a" * 250)


NAMES = st.text("ab.", min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))


@given(
    st.lists(st.one_of(NAMES, st.just("*"), st.just("**")), min_size=1, max_size=5),
    st.lists(NAMES, min_size=1, max_size=5),
)
def test_stars_mean_what_an_expression_over_the_whole_path_says(pattern: list[str], path: list[str]) -> None:
    expression = "".join(
        "(?:[^/]+/)*" if part == "**" else ("[^/]*" if part == "*" else re.escape(part)) + "/" for part in pattern
    )
    expected = re.fullmatch(expression, "/".join(path) + "/") is not None
    assert Glob("/".join(pattern)).matches("/".join(path)) == expected
