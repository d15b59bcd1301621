"""The search language takes every text, and means what LayerCI's documents say."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.search import Search, State, parse

EXAMPLE = (
    'text to find in commit body "exact text" -layer -ci repo:layer-example-repo branch:main id:10 '
    "status:running done running failed"
)
NAMES = st.text(string.ascii_letters + string.digits + "-_./", min_size=1, max_size=12)
PHRASES = st.text(string.ascii_lowercase + " :-'", min_size=1, max_size=12).map(str.strip).filter(bool)
WORDS = st.text(string.ascii_lowercase, min_size=1, max_size=6).filter(lambda word: word not in set(State))


def test_the_documents_example_is_taken_apart() -> None:
    assert parse(EXAMPLE) == Search(
        contains=("text", "to", "find", "in", "commit", "body", "exact text"),
        lacks=("layer", "ci"),
        repositories=("layer-example-repo",),
        branches=("main",),
        ids=("10",),
        statuses=("running",),
        states=(State.DONE, State.RUNNING, State.FAILED),
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", Search()),
        (" \t\n ", Search()),
        ("“curly quotes”", Search(contains=("curly quotes",))),
        ('“mixed quotes"', Search(contains=("mixed quotes",))),
        ('"never closed', Search(contains=("never closed",))),
        ('"" "  "', Search()),
        ('5" screen', Search(contains=('5"', "screen"))),
        ('-"not this" -that', Search(lacks=("not this", "that"))),
        ("fix - it", Search(contains=("fix", "it"))),
        ("--flag", Search(lacks=("-flag",))),
        ("-repo:x -running", Search(lacks=("repo:x", "running"))),
        ("Branch:Main REPO:x", Search(branches=("Main",), repositories=("x",))),
        ('branch:"two words"', Search(branches=("two words",))),
        ("branch: main", Search(contains=("branch:", "main"))),
        ('status:""', Search(contains=('status:""',))),
        ("owner:x https://a.b/c", Search(contains=("owner:x", "https://a.b/c"))),
        ('"running" Failed', Search(contains=("running",), states=(State.FAILED,))),
        ("id:ten id:-1", Search(ids=("ten", "-1"))),
        ("same SAME same", Search(contains=("same",))),
        ("a\0b", Search(contains=("a", "b"))),
        ("\ud800", Search(contains=("?",))),
    ],
)
def test_each_kind_of_term_is_read(query: str, expected: Search) -> None:
    assert parse(query) == expected


def test_text_counts_in_any_case_and_however_its_accents_are_made() -> None:
    assert parse("STRASSE") == parse("straße")
    assert parse("Cafe\u0301") == parse("CAFÉ") == Search(contains=("café",))


@given(st.text())
def test_every_text_is_a_query_that_a_database_can_be_asked(text: str) -> None:
    found = parse(text)
    values = [value for name in Search.__dataclass_fields__ for value in getattr(found, name)]
    assert found.size == len(values)
    assert all(value and "\0" not in value for value in values)
    "".join(values).encode()


@given(
    contains=st.lists(WORDS, unique=True),
    phrases=st.lists(PHRASES, unique=True),
    lacks=st.lists(PHRASES, unique=True),
    repositories=st.lists(NAMES, unique=True),
    branches=st.lists(NAMES, unique=True),
    ids=st.lists(st.integers(0).map(str), unique=True),
    statuses=st.lists(WORDS, unique=True),
    states=st.lists(st.sampled_from(State), unique=True),
    data=st.data(),
)
def test_a_query_put_together_is_taken_apart_again(data: st.DataObject, **parts: list[str]) -> None:
    terms = [
        *parts["contains"],
        *(f'"{phrase}"' for phrase in parts["phrases"]),
        *(f'-"{phrase}"' for phrase in parts["lacks"]),
        *(f"repo:{name}" for name in parts["repositories"]),
        *(f"branch:{name}" for name in parts["branches"]),
        *(f"id:{number}" for number in parts["ids"]),
        *(f"status:{word}" for word in parts["statuses"]),
        *parts["states"],
    ]
    found = parse(" ".join(data.draw(st.permutations(terms))))
    assert set(found.contains) == set(parts["contains"]) | set(parts["phrases"])
    for name in ("lacks", "repositories", "branches", "ids", "statuses", "states"):
        assert sorted(getattr(found, name)) == sorted(parts[name])
