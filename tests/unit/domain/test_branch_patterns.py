"""Which branches a project ignores."""

import pytest

from app.domain.branch_patterns import any_matches, is_valid


@pytest.mark.parametrize(
    ("pattern", "covered", "others"),
    [
        ("gh-pages", ["gh-pages"], ["gh-pages/x", "x/gh-pages", "gh"]),
        ("*", ["main", "a/b"], []),
        ("wip/*", ["wip/a", "wip/a/b"], ["wip", "wip2/a", "x/wip/a"]),
        ("*/draft", ["a/draft", "a/b/draft"], ["draft", "a/draft/b", "a/xdraft"]),
    ],
)
def test_what_a_pattern_covers(pattern: str, covered: list[str], others: list[str]) -> None:
    assert is_valid(pattern)
    assert [branch for branch in covered + others if any_matches(["none", pattern], branch)] == covered


@pytest.mark.parametrize("pattern", ["", "a*", "*a", "a/*/b", "*/*", "**", "/*", "*/", "a b", "-a", "a..b", "HEAD"])
def test_what_is_no_pattern(pattern: str) -> None:
    assert not is_valid(pattern)
