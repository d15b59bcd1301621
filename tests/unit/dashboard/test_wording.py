"""Numbers, times and statuses in words."""

from datetime import UTC, datetime, timedelta

import pytest

from app.dashboard import wording
from app.domain.status import AVAILABLE

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_every_status_has_a_word_and_a_tone():
    for status in AVAILABLE:
        assert wording.STATUS_WORDS[status]
    assert wording.status_word("never_heard_of") == "never heard of"
    assert wording.status_tone("never_heard_of") == "waiting"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1536, "1.5 KiB"),
        (1 << 40, "1.0 TiB"),
        (1 << 52, "4096.0 TiB"),
    ],
)
def test_sizes(count, text):
    assert wording.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0, "0 s"),
        (0.04, "0 s"),
        (0.4, "0.4 s"),
        (2.04, "2 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (12.3, "12 s"),
        (59.4, "59 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (7500, "2 h 5 min"),
        (-3, "0 s"),
    ],
)
def test_durations(seconds, text):
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (0, "just now"),
        (50, "1 minute ago"),
        (90 * 60, "2 hours ago"),
        (86_400, "1 day ago"),
        (400 * 86_400, "1 year ago"),
        (-20, "in a moment"),
        (-300, "in 5 minutes"),
    ],
)
def test_ages(ago, text):
    assert wording.age(NOW - timedelta(seconds=ago), NOW) == text


def test_times_are_written_in_utc():
    moment = datetime(2026, 3, 1, 13, 0, 5, tzinfo=UTC)
    assert wording.machine_time(moment) == "2026-03-01T13:00:05Z"
    assert wording.full_time(moment) == "2026-03-01 13:00:05 UTC"


def test_characters_that_disguise_a_name_are_shown():
    assert wording.visible("a\x00b\x1bc\x7f\u202ed\u2066") == "a␀b␛c␡␡d␡"
    assert wording.visible("naïve 🦭 名前") == "naïve 🦭 名前"
    assert wording.visible(None) == ""


def test_a_browser_is_called_what_people_call_it():
    mozilla = "Mozilla/5.0"
    for agent, words in {
        f"{mozilla} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Linux",
        f"{mozilla} (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0 Safari/537.36 Edg/137.0": (
            "Edge on Windows"
        ),
        f"{mozilla} (Linux; Android 15) AppleWebKit/537.36 Chrome/137.0 Mobile Safari/537.36": "Chrome on Android",
        f"{mozilla} (Macintosh; Intel Mac OS X 15_5) Version/18.5 Safari/605.1.15": "Safari on macOS",
        f"{mozilla} (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1": (
            "Safari on iPhone"
        ),
        "curl/8.14.1": "curl",
        "": "unknown browser",
    }.items():
        assert wording.browser(agent) == words
    assert wording.day(NOW) == "2026-03-01"
