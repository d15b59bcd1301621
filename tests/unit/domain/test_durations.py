"""Durations as people write them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.durations import InvalidDuration, parse


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("42", 42),
        ("3h 30m", 12600),
        ("3h30m", 12600),
        ("1 week", 604800),
        ("30 mins", 1800),
        ("1 hour 30 min and 5 seconds", 5405),
        ("2 days", 172800),
        ("1.5 hours", 5400),
        ("3 mins 4 sec", 184),
        ("2 hrs 20 min", 8400),
        ("6 mos 1 day", 6 * 2592000 + 86400),
        ("47 yrs 6 mos and 4d", 47 * 31557600 + 6 * 2592000 + 4 * 86400),
        ("One week", 604800),
        ("an hour, 5 minutes", 3900),
        ("1h30", 3630),
        ("1 day 5", 86405),
        ("1:30", 90),
        ("1:00:00", 3600),
        (" 10 MINUTES ", 600),
        ("0.2 s", 1),
    ],
)
def test_durations_written_down_by_hand(text: str, seconds: int) -> None:
    assert parse(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "soon", "never", "3 parsecs", "h", "5 5", "-1 day", "1 day ago", "9" * 400, "99999 years"]
)
def test_what_is_no_duration_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(InvalidDuration, match="is not a duration"):
        parse(text)


def test_never_is_zero_where_it_is_allowed() -> None:
    assert parse("Never", never=True) == 0


@given(st.text())
def test_any_text_gives_a_duration_or_a_refusal(text: str) -> None:
    with contextlib.suppress(InvalidDuration):
        assert parse(text) > 0


@given(st.integers(0, 20), st.integers(0, 23), st.integers(0, 59), st.integers(1, 59))
def test_parts_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    assert (
        parse(f"{days} days {hours}h {minutes} min and {seconds}s")
        == ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    )
