"""Promises of runner.masking: no secret gets through, and cutting the log differently changes nothing."""

import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runner import masking
from runner.masking import MASK, TOKEN_PREFIXES, Masker, secrets_of

SECRETS = [b"secret", b"secretly", b"abcabc", b"bcabca", b"aaaa", b"x glpat-12", b"t-xyz", b"\xff\x00\n!"]
PIECES = [
    *SECRETS,
    b"glpat-",
    b"gldt-",
    b"glpat-abc",
    b"_gitlab_session=",
    b"tok:",
    b"sec",
    b"ret",
    b"gl",
    b"-",
    b"a",
    b"abc",
]
PREFIXES = (*TOKEN_PREFIXES, "tok:", "k:a")


def masked(chunks: list[bytes], secrets: list[bytes] = SECRETS, prefixes: tuple[str, ...] = PREFIXES) -> bytes:
    masker = Masker(secrets, prefixes)
    return b"".join([*(masker.feed(chunk) for chunk in chunks), masker.flush()])


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (["nothing to hide"], "nothing to hide"),
        (["a s", "ecret b"], "a [MASKED] b"),
        (["ssecret"], "s[MASKED]"),
        (["secretsecret"], "[MASKED][MASKED]"),
        (["secretl", "y"], "[MASKED]"),
        (["secretl", "ish"], "[MASKED]lish"),
        (["secre", "c secre"], "secrec secre"),
        (["abcab", "ca"], "[MASKED]"),
        (["aaaaaaaaaaaaaaaaa"], "[MASKED]"),
        (["key glpat-abc.DEF_1 end"], "key glpat-[MASKED] end"),
        (["glpat", "-", "a", "b c"], "glpat-[MASKED] c"),
        (["glpat- is a prefix"], "glpat- is a prefix"),
        (["gldt-x", "yz!"], "gld[MASKED]!"),
        (["gldt-x", "yw!"], "gldt-[MASKED]!"),
        (["tok:a", "b\n"], "tok:[MASKED]\n"),
        (["_gitlab_session=", "0af;"], "_gitlab_session=[MASKED];"),
    ],
)
def test_a_cut_log_reads_as_expected(chunks, expected):
    assert masked([chunk.encode() for chunk in chunks]) == expected.encode()


@given(
    st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=12), st.lists(st.integers(0, 80), max_size=12)
)
@example([b"x glpat-12", b"gldt-xyz"], [9, 12])
@pytest.mark.parametrize("many", [1, 1000], ids=["with the automaton", "without"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_cuts_do_not_matter_and_nothing_secret_is_left(monkeypatch, many, pieces, cuts):
    monkeypatch.setattr(masking, "_MANY", many)
    whole = b"".join(pieces)
    borders = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    chunks = [whole[start:end] for start, end in pairwise(borders)]
    result = masked([whole])
    assert masked(chunks) == result
    assert not any(secret in result for secret in SECRETS)
    assert not re.search(rb"(?:gl[a-z]+-|_gitlab_session=|tok:)[A-Za-z0-9]", result.replace(b"glish-", b""))


@given(st.binary(max_size=200))
def test_without_secrets_every_byte_passes(data):
    assert masked([data], [], ()) == data


def test_a_long_secret_is_found_across_a_cut():
    secret = bytes(range(65, 91)) * 600
    assert masked([b"<" + secret[:8000], secret[8000:] + b">"], [secret]) == b"<[MASKED]>"


def test_only_what_may_be_secret_is_held_back():
    masker = Masker([b"password1"])
    assert masker.feed(b"my pass") == b"my "
    assert masker.feed(b"enger\n") == b"passenger\n"


def test_an_endless_token_is_not_kept_in_memory():
    masker = Masker([])
    assert masker.feed(b"glpat-" + b"a" * 100) == b"glpat-[MASKED]"
    assert masker.feed(b"b" * 1_000_000) == b""
    assert masker.feed(b" done") == b" done"


def test_flush_shows_the_beginning_of_a_secret_that_never_came():
    masker = Masker([b"password1"])
    assert masker.feed(b"pass") == b""
    assert masker.flush() == b"pass"
    assert masker.feed(b"word1") == b"word1"


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=30), st.binary(max_size=60), st.data())
def test_the_automaton_overlooks_no_secret(secrets, around, data):
    secret = data.draw(st.sampled_from(secrets))
    assert masking._any_of(secrets).search(around + secret + around) is not None


def test_values_become_secrets_when_long_enough_and_by_line():
    value = "-----BEGIN\nabcdefghij\r\nshort\n"
    assert secrets_of(["short", "longenough", value]) == [
        b"longenough",
        b"-----BEGIN\nabcdefghij\r\nshort",
        b"-----BEGIN",
        b"abcdefghij",
    ]


def test_the_mask_is_gitlabs():
    assert MASK == b"[MASKED]"
