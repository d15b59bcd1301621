"""When a schedule is due."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidRequest
from app.services.schedules.cron import next_run, zone_names


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("*/5 * * * *", "UTC", "2026-03-01T12:00:00", "2026-03-01T12:05:00"),
        ("0 1 * * *", "UTC", "2026-03-01T12:00:00", "2026-03-02T01:00:00"),
        ("30 2 * * 1-5", "Asia/Tokyo", "2026-03-06T12:00:00", "2026-03-08T17:30:00"),
        ("0 9 * * MON", "America/New_York", "2026-01-05T14:00:00", "2026-01-12T14:00:00"),
        ("0 0 29 2 *", "UTC", "2026-03-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 12 L * *", "UTC", "2026-02-01T00:00:00", "2026-02-28T12:00:00"),
        ("@daily", "Europe/Berlin", "2026-07-01T12:00:00", "2026-07-01T22:00:00"),
        (" @Hourly ", "UTC", "2026-07-01T12:00:00", "2026-07-01T13:00:00"),
        # Both days are told: in cron either is enough.
        ("0 0 13 * FRI", "UTC", "2026-03-01T00:00:00", "2026-03-06T00:00:00"),
    ],
)
def test_the_next_run_is_the_first_moment_after(cron: str, zone: str, after: str, expected: str) -> None:
    assert next_run(cron, zone, at(after)) == at(expected)


def test_a_time_that_the_clocks_skip_runs_right_after_the_gap() -> None:
    """Berlin, 29 March 2026: 02:00 becomes 03:00."""
    first = next_run("30 2 * * *", "Europe/Berlin", at("2026-03-28T12:00:00"))
    assert first == at("2026-03-29T01:00:00")
    assert next_run("30 2 * * *", "Europe/Berlin", first) == at("2026-03-30T00:30:00")


def test_a_time_that_comes_twice_runs_once() -> None:
    """Berlin, 25 October 2026: 03:00 becomes 02:00."""
    first = next_run("30 2 * * *", "Europe/Berlin", at("2026-10-24T12:00:00"))
    assert first.date().isoformat() == "2026-10-25"
    second = next_run("30 2 * * *", "Europe/Berlin", first)
    assert second == at("2026-10-26T01:30:00")


def test_every_hour_goes_on_while_the_clocks_change() -> None:
    moment, seen = at("2026-10-24T22:30:00"), []
    for _ in range(6):
        moment = next_run("0 * * * *", "Europe/Berlin", moment)
        seen.append(moment)
    assert {later - earlier for earlier, later in pairwise(seen)} == {timedelta(hours=1)}


@pytest.mark.parametrize(
    "cron",
    [
        *("", "invalid-cron", "* * * *", "* * * * * *", "60 * * * *", "0 0 30 2 *", "*/0 * * * *", "5-1 * * * *"),
        *("@reboot", "1," * 200 + "1 * * * *", "\N{ARABIC-INDIC DIGIT ONE} * * * *", "-1 * * * *"),
    ],
)
def test_what_is_no_cron_is_refused(cron: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        next_run(cron, "UTC", at("2026-03-01T12:00:00"))
    assert refused.value.field == "cron"


@pytest.mark.parametrize("zone", ["", "Nowhere", "../../etc/passwd", "/etc/localtime", "europe", "UTC\0"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        next_run("* * * * *", zone, at("2026-03-01T12:00:00"))
    assert refused.value.field == "cron_timezone"


@given(
    st.text(alphabet="0123456789*/,-#LWMONFRI @", max_size=40),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]),
    st.integers(1_577_836_800, 2_208_988_800),
)
def test_any_text_is_due_later_or_is_refused(cron: str, zone: str, seconds: int) -> None:
    after = datetime.fromtimestamp(seconds, UTC)
    try:
        due = next_run(cron, zone, after)
    except InvalidRequest:
        return
    assert due > after


def test_the_zones_that_people_are_in_are_known() -> None:
    assert {"UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"} <= zone_names()
