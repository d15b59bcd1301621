"""Environments: names, slugs, tiers and scopes of variables."""

import fnmatch
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import environments

names = st.text(st.sampled_from("abZ09-_/. ${}éß"), min_size=1, max_size=40)


@pytest.mark.parametrize("name", ["production", "staging-1", "staging-1234567890123456"])
def test_a_name_that_is_a_slug_already_stays(name: str) -> None:
    assert environments.slug(name) == name


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("staging-12345678901234567", "staging-123456789-"),
        ("9-staging-123456789012345", "env-9-staging-123-"),
        ("PRODUCTION", "production-"),
        ("review/1-foo", "review-1-foo-"),
        ("1-foo", "env-1-foo-"),
        ("foo--bar", "foo-bar-"),
        ("foo**bar", "foo-bar-"),
        ("foo-", "foo-"),
        ("*-foo", "env-foo-"),
    ],
)
def test_any_other_name_is_shortened_and_gets_the_end_of_its_digest(name: str, head: str) -> None:
    slug = environments.slug(name)
    digest = int(hashlib.sha256(name.encode()).hexdigest(), 16)
    assert (slug[:-6], int(slug[-6:], 36)) == (head, digest % 36**6)


@given(names)
def test_a_slug_is_short_starts_with_a_letter_and_has_no_two_dashes_in_a_row(name: str) -> None:
    slug = environments.slug(name)
    assert len(slug) <= 24
    assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", slug)
    assert "--" not in slug


@given(names, names)
def test_two_names_have_two_slugs(one: str, other: str) -> None:
    assert one == other or environments.slug(one) != environments.slug(other)


@pytest.mark.parametrize("name", ["a", "review/x", "$A", "${A}", "a b", "1.2", "-", "a" * 255])
def test_valid_names(name: str) -> None:
    assert environments.is_valid_name(name)


@pytest.mark.parametrize("name", ["", "/", "/a", "a/", "a:b", "a\nb", "a" * 256, "é"])
def test_names_that_cannot_be(name: str) -> None:
    assert not environments.is_valid_name(name)


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("production", "production"),
        ("live", "production"),
        ("staging", "staging"),
        ("demo", "staging"),
        ("review/branch", "development"),
        ("qa", "testing"),
        ("gprd", "production"),
        ("anything", "other"),
    ],
)
def test_the_tier_follows_from_the_name(name: str, tier: str) -> None:
    assert environments.guess_tier(name) == tier


@given(st.text("ab/*", min_size=1, max_size=8), st.text("ab/", min_size=1, max_size=8))
def test_a_scope_matches_as_a_glob_with_stars_alone_does(scope: str, name: str) -> None:
    assert environments.scope_matches(scope, name) == fnmatch.fnmatchcase(name, scope)


def test_a_job_without_an_environment_gets_what_is_for_all() -> None:
    assert environments.scope_matches("*", None)
    assert not environments.scope_matches("prod*", None)
    assert not environments.scope_matches("**", None)


def test_the_more_exact_scope_counts_more() -> None:
    scopes = ["review/one", "review/*", "rev*", "*"]
    assert sorted(scopes, key=environments.scope_rank) == scopes[::-1]
