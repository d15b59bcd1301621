"""Durations as people write them: "3h 30m", "1 week", "30 mins", "42" (seconds), "never" (gitlab.md C.2)."""

import re

from app.domain.errors import InvalidRequest

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
MONTH = 30 * DAY
YEAR = 31_557_600  # 365.25 days

_UNITS: dict[str, int] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), MINUTE),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), HOUR),
    **dict.fromkeys(("d", "day", "days"), DAY),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), WEEK),
    **dict.fromkeys(("mo", "mos", "mon", "month", "months"), MONTH),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), YEAR),
}
_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=1
    )
} | {"a": "1", "an": "1"}
_JOINING = frozenset({"and", "with", "plus"})
_NEVER = frozenset({"never"})
_TOKEN = re.compile(r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<word>[a-z]+)|(?P<comma>,))")
_LONGEST_TEXT = 200
_LONGEST = 100 * YEAR


class InvalidDuration(InvalidRequest):
    """The text is not a duration."""


def parse(text: str, *, never: bool = False) -> int:
    """Whole seconds, rounded; 0 for "never" where `never` allows it. Raises InvalidDuration, which quotes `text`."""
    plain = text.strip().lower()
    if never and plain in _NEVER:
        return 0
    seconds = _clock(plain) if ":" in plain else _sum(_tokens(plain, text), text)
    if not 0 < seconds <= _LONGEST:
        raise _refusal(text)
    return max(1, round(seconds))


def _refusal(text: str) -> InvalidDuration:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return InvalidDuration(f"{shown!r} is not a duration: write something like '30 mins', '3h 30m' or '1 week'")


def _clock(plain: str) -> float:
    """Seconds of `minutes:seconds` or `hours:minutes:seconds`; 0 when it is neither."""
    match = re.fullmatch(r"(?:([0-9]{1,6}):)?([0-9]{1,6}):([0-9]{2})", plain)
    if not match:
        return 0
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * HOUR + minutes * MINUTE + seconds


def _tokens(plain: str, text: str) -> list[str]:
    """Numbers and words in order, without the words that only join."""
    if len(plain) > _LONGEST_TEXT:
        raise _refusal(text)
    found, at = [], 0
    while at < len(plain):
        match = _TOKEN.match(plain, at)
        if not match:
            raise _refusal(text)
        token = match["number"] or match["word"]
        if token and token not in _JOINING:
            found.append(_NUMBERS.get(token, token))
        at = match.end()
    return found


def _sum(tokens: list[str], text: str) -> float:
    """Seconds of number and unit pairs; a last number without a unit counts seconds."""
    if len(tokens) % 2:
        tokens = [*tokens, "s"]
    total = 0.0
    for number, unit in zip(tokens[::2], tokens[1::2], strict=True):
        if not _is_number(number) or unit not in _UNITS:
            raise _refusal(text)
        total += float(number) * _UNITS[unit]
    return total


def _is_number(token: str) -> bool:
    return token[0].isdigit()
