"""Globs as Ruby's File.fnmatch has them, and files that changed or are there."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.gitlab import patterns
from app.dialects.gitlab.files import MOST_COMPARISONS, any_changed, any_exists


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("*", "a", True),
        ("*", ".hidden", True),
        ("*", "a/b", False),
        ("**/*", "a/b/c", True),
        ("**/*", "a", True),
        ("**/*.rb", "a/b.rb", True),
        ("**/*.rb", "b.rb", True),
        ("src/**/*", "src/a", True),
        ("src/**/*", "src/a/b", True),
        ("src/**/*", "srcs/a", False),
        ("src/**", "src/a", True),
        ("src/**", "src/a/b", False),
        ("src/*", "src/a/b", False),
        ("*.{rb,py}", "a.py", True),
        ("*.{rb,py}", "a.pyc", False),
        ("{a,b/{c,d}}/x", "b/d/x", True),
        ("{a,b", "{a,b", False),
        ("a}", "a}", True),
        ("a,b", "a,b", True),
        ("?.txt", "a.txt", True),
        ("?", "/", False),
        ("[ab].txt", "a.txt", True),
        ("[!ab].txt", "a.txt", False),
        ("[^ab].txt", "c.txt", True),
        ("[!a]b", "/b", False),
        ("a[", "a[", True),
        (r"\*", "*", True),
        (r"\*", "a", False),
        ("a.c", "abc", False),
        ("a+(b)", "a+(b)", True),
        ("Docker*", "docker/x", False),
        ("dir", "dir/file", False),
    ],
)
def test_globs_written_down_by_hand(glob: str, path: str, expected: bool) -> None:
    try:
        assert patterns.glob(glob)(path) is expected
    except patterns.InvalidPattern:
        assert not expected


@given(st.text(st.sampled_from("ab*?[]{}!^\\,/.-"), max_size=12), st.text(st.sampled_from("ab/."), max_size=6))
def test_any_glob_is_answered(glob: str, path: str) -> None:
    assert any_exists({path: ""}, (glob,)) in (True, False)
    assert any_changed({path: ""}, (glob,)) in (True, False)


@given(st.text(st.sampled_from("abc/._-"), min_size=1, max_size=10))
def test_a_path_matches_itself(path: str) -> None:
    assert any_exists({path}, (path,))
    assert any_changed({path}, (path,))
    assert patterns.glob(path)(path)


def test_too_much_to_compare_is_a_match_and_nothing_to_compare_is_none() -> None:
    many = {f"a/{number}" for number in range(MOST_COMPARISONS + 1)}
    assert any_changed(many, ("*.x",))
    assert any_exists(many, ("b/*.x",))
    assert not any_exists(set(), ("*",))
    assert not any_changed(set(), ("*",))


def test_globs_for_the_top_or_for_endings_are_answered_however_many_files_there_are() -> None:
    many = {f"a/{number}" for number in range(MOST_COMPARISONS + 1)} | {"b/c.x.y"}
    assert not any_exists(many, ("*.x",))
    assert not any_exists(many, ("**/*.x",))
    assert any_exists(many, ("**/*.x.y",))
    assert any_exists({*many, "top.x"}, ("*.x",))


def test_a_glob_of_many_stars_takes_no_time() -> None:
    started = time.process_time()
    with contextlib.suppress(patterns.InvalidPattern):
        assert not patterns.glob("*a" * 200 + "b")("a" * 5000)
    assert time.process_time() - started < 2
