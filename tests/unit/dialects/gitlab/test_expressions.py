"""The expressions of rules (gitlab.md C.4)."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.gitlab.expressions import InvalidExpression, parse

VARIABLES = {
    "ONE": "1",
    "EMPTY": "",
    "BLANK": "  ",
    "REF": "feature/x",
    "TRUE": "true",
    "PATTERN": "/^feature/",
    "TEXT": "feat",
    "BROKEN": "/(/",
}


def truth(text: str) -> bool:
    return parse(text).is_true(VARIABLES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$ONE", True),
        ("$EMPTY", False),
        ("$BLANK", False),
        ("$NOBODY", False),
        ('$ONE == "1"', True),
        ("$ONE=='1'", True),
        ('$ONE != "1"', False),
        ("$NOBODY == null", True),
        ("$EMPTY == null", False),
        ('$EMPTY == ""', True),
        ("$NOBODY != null", False),
        ("null == $NOBODY", True),
        ("$TRUE == true", True),
        ("$ONE == true", False),
        ("true", True),
        ("false", False),
        ("$REF =~ /^feature/", True),
        ("$REF =~ /^FEATURE/", False),
        ("$REF =~ /^FEATURE/i", True),
        (r"$REF =~ /feature\/x$/", True),
        ("$REF !~ /^feature/", False),
        ("$NOBODY =~ /ab/", False),
        ("$NOBODY !~ /ab/", True),
        ("$NOBODY =~ /.*/", True),
        ("$REF =~ $PATTERN", True),
        ("$REF =~ $TEXT", False),
        ("$TEXT =~ $REF", True),
        ("$REF !~ 'feature/x and more'", False),
        ("$EMPTY =~ 'text'", True),
        ("$BROKEN =~ $BROKEN", True),
        ("$REF =~ $NOBODY", False),
        ("$REF !~ $NOBODY", True),
        ("$REF =~ $BROKEN", False),
        ('$REF =~ "/x$/"', True),
        ('$ONE == "1" && $REF =~ /^feature/', True),
        ('$ONE == "2" || $REF =~ /^feature/', True),
        ('$ONE == "2" && $NOBODY || $TRUE', True),
        ('$ONE == "1" || $NOBODY && $NOBODY', True),
        ('($ONE == "1" || $NOBODY) && $NOBODY', False),
        ("$EMPTY && $ONE", True),
        ("$ONE && $EMPTY", False),
        ("$EMPTY || $ONE", False),
        ("!$NOBODY", True),
        ("!$ONE", False),
        ("!!$ONE", True),
        ('!($ONE == "2")', True),
        ('!$NOBODY && $ONE == "1"', True),
        ("/ab/", True),
        ("  $ONE\n== '1' ", True),
        ("$ONE == '$ONE'", False),
    ],
)
def test_expressions_written_down_by_hand(text: str, expected: bool) -> None:
    assert truth(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "$",
        "$ONE ==",
        "== $ONE",
        "$ONE $REF",
        "$ONE = '1'",
        "$ONE && ",
        "($ONE",
        "$ONE)",
        "()",
        "'open",
        "${ONE}",
        "%ONE%",
        "$ONE & $REF",
        "$REF =~ /(/",
        "$REF =~ /a/",
        "$ONE !",
        "word",
        "$A || " * 51 + "$A",
    ],
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(InvalidExpression):
        parse(text)


operands = st.sampled_from(("$ONE", "$EMPTY", "$NOBODY", '"1"', "null", "true", "/ab/", "$REF", "false"))
expressions = st.recursive(
    operands,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(("&&", "||", "==", "!=", "=~", "!~")), inner)
        | st.builds("!{}".format, inner)
    ),
    max_leaves=8,
)


@given(expressions)
def test_every_well_formed_expression_has_a_truth(text: str) -> None:
    assert truth(text) in (True, False)
    assert truth(f"!({text})") is not truth(text)


@given(st.text(st.sampled_from("$AB()!=~&|/'\"\\ nul.*"), max_size=30))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidExpression):
        assert parse(text).is_true({"A": "b"}) in (True, False)


def test_a_pattern_that_takes_others_minutes_takes_no_time() -> None:
    started = time.process_time()
    assert not parse("$A =~ /^(a+)+$/").is_true({"A": "a" * 50_000 + "b"})
    assert not parse("$A =~ $B").is_true({"A": "a" * 50_000 + "b", "B": "/^(a|aa)+$/"})
    assert time.process_time() - started < 2


def test_a_long_text_without_end_is_refused_in_no_time() -> None:
    started = time.process_time()
    for text in ("/" + "a" * 500_000, "'" + "a" * 500_000, "(" * 500_000, "/" + "\\/" * 250_000):
        with pytest.raises(InvalidExpression):
            parse(text)
    assert time.process_time() - started < 2
