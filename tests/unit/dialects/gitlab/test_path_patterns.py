"""The regular expressions of `changes:regexp` and `exists:regexp` (gitlab.md C.4)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.gitlab.path_patterns import path_searcher
from app.dialects.gitlab.patterns import InvalidPattern

PATHS = ["src/app.rb", "docs/index.md", "README.md", "docs/a\nsrc/b", "Src/B.rb"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"\.rb\z", [0, 4]),
        (r"\Asrc/", [0]),
        (r"^src/", [0, 3]),
        (r"md$", [1, 2]),
        (r"a\Z", []),
        (r"d\Z", [1, 2]),
        (r"\A(?!docs/)", [0, 2, 4]),
        (r"\A(?!docs/).*\.rb", [0, 4]),
        (r"^(?!docs/)", [0, 2, 3, 4]),
        (r"\A(?=docs)(?!.*index)", [3]),
        (r"\A(?!docs/|src/)", [2, 4]),
        (r"\A(?!(docs|src)/)", [2, 4]),
        (r"\A(?!docs)R|index", [1, 2]),
        (r"(?i)\A(?!SRC)", [1, 2, 3]),
        (r"(?i)\Asrc", [0, 4]),
        (r"\A\h", [1, 3]),
        (r"[\hR]EADME|x\H", [1, 2]),
        (r"\A[(?!]", []),
        (r"\A(?!docs/[)])src", [0]),
        (r"docs.+src", []),
        (r"(?m)docs.+src", [3]),
    ],
)
def test_which_paths_a_pattern_is_found_in(pattern: str, found: list[int]) -> None:
    search = path_searcher(pattern)
    assert [index for index, path in enumerate(PATHS) if search(path)] == found


@pytest.mark.parametrize(
    "pattern", [r"(?!docs/)a", r"a(?!b)", r"(?<=a)b", r"\A(?!a(?!b))", r"\A(?!a", "a(", r"(a)\1", "[a", r"\A(?!a)("]
)
def test_what_cannot_be_answered_in_linear_time_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidPattern):
        path_searcher(pattern)


@given(
    st.lists(st.tuples(st.sampled_from("=!"), st.text("ab.|", max_size=3)), max_size=3),
    st.text("ab.*", max_size=3).filter(lambda text: not text.startswith("*") and "**" not in text),
    st.text("ab", max_size=4),
)
def test_look_aheads_mean_what_they_mean_elsewhere(conditions: list[tuple[str, str]], rest: str, path: str) -> None:
    pattern = r"\A" + "".join(f"(?{kind}{text})" for kind, text in conditions) + rest
    assert path_searcher(pattern)(path) == (re.search(pattern, path) is not None)


@given(st.text("ab()[]|\\?!=^AzZh*", max_size=12))
def test_any_text_is_a_pattern_or_is_refused(pattern: str) -> None:
    try:
        search = path_searcher(pattern)
    except InvalidPattern:
        return
    assert search("ab/b") in (True, False)
