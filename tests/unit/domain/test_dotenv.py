"""Promises of app.domain.dotenv (gitlab.md C.14)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import dotenv
from app.domain.errors import InvalidReport


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"A=1\nB=2\n", {"A": "1", "B": "2"}),
        (b"A=1\nB=2", {"A": "1", "B": "2"}),
        (b"A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        (b" A = 1 2 \n", {"A": "1 2"}),
        (b"A=\"quoted\"\nB='too'\n", {"A": '"quoted"', "B": "'too'"}),
        (b"A=x=y\n", {"A": "x=y"}),
        (b"A=\n", {"A": ""}),
        (b"A=1\nA=2\n", {"A": "2"}),
        (b"KEY2=${KEY1}_Test\n", {"KEY2": "${KEY1}_Test"}),
        (b"1A=x\n", {"1A": "x"}),
        ("A=é\x0bü\n".encode(), {"A": "é\x0bü"}),
        (b"\xef\xbb\xbfA=1\n", {"A": "1"}),
        ("A=true\r\nB=é\r\n".encode("utf-16"), {"A": "true", "B": "é"}),
        ("A=true\n".encode("utf-16-le"), {"A": "true"}),
        ("A=true\n".encode("utf-16-be"), {"A": "true"}),
        (b"A=\xff\n", {"A": "�"}),
        (b"A=a\0b\n", {"A": "ab"}),
        (b"", {}),
    ],
)
def test_every_line_is_a_variable_as_it_stands(data, found):
    assert dotenv.parse([data]) == found


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"A=1\n\nB=2\n", "Invalid Format"),
        (b"# a comment\n", "Invalid Format"),
        (b"{ 'KEY1': 'VAR1' }", "Invalid Format"),
        (b"export A=1\n", "can contain only letters"),
        (b"A-B=1\n", "can contain only letters"),
        (b"=1\n", "can contain only letters"),
        ("É=1\n".encode(), "can contain only letters"),
        (b"A" * 256 + b"=1\n", "too long"),
        (b"A=" + b"x" * 5118, "Dotenv Artifact Too Big. Maximum Allowable Size: 5120"),
        (b"".join(b"K%d=1\n" % number for number in range(21)), "Dotenv files cannot have more than 20 variables"),
    ],
)
def test_what_is_no_list_of_variables_is_refused_with_a_reason(data, words):
    with pytest.raises(InvalidReport, match=words):
        dotenv.parse([data])


def test_the_bounds_themselves_are_allowed():
    assert len(dotenv.parse([b"".join(b"K%d=1\n" % number for number in range(20))])) == 20
    assert dotenv.parse([b"A=" + b"x" * 5117])["A"] == "x" * 5117


def test_several_files_are_one_report():
    assert dotenv.parse([b"A=1\nB=1\n", b"B=2"]) == {"A": "1", "B": "2"}
    with pytest.raises(InvalidReport, match="Too Big"):
        dotenv.parse([b"A=" + b"x" * 3000, b"B=" + b"x" * 3000])


@given(st.binary(max_size=300))
def test_any_bytes_are_variables_or_refused(data):
    try:
        found = dotenv.parse([data])
    except InvalidReport:
        return
    assert all(key.isascii() and "\0" not in value for key, value in found.items())
