"""Durations as people write them in configuration files and CI variables: `90`, `90s`, `1h30m`, `1.5h`."""

import re

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")


def parse_duration(text: str) -> float | None:
    """Seconds, or None where `text` is no duration. A bare number counts seconds; nothing negative is a duration."""
    text = text.strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", text, re.ASCII):
        return float(text)
    if not re.fullmatch(rf"(?:{_PART.pattern})+", text, re.ASCII):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
