"""A log's bytes as plain lines: what a page shows before, or without, its script."""

import re

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, erasing, cursor moves
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)"  # OSC: titles and links
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\|$)"  # DCS and its kin
    r"|\x1b[ -/]*[0-~]?"
)
_MARKER = re.compile(r"section_(?:start|end):\d+:[A-Za-z0-9_.-]+(?:\[[^\]\r\n]*\])?\r")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
LONGEST_LINE = 4096


def plain_lines(data: bytes) -> list[str]:
    """`data` as lines of text: no escapes, no section markers, of a line that was overwritten only what stayed."""
    lines = data.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [_plain(line) for line in lines]


def _plain(line: str) -> str:
    text = _ESCAPES.sub("", _MARKER.sub("", line))
    stayed = next((part for part in reversed(text.split("\r")) if part), "")
    return _CONTROLS.sub("", stayed)[:LONGEST_LINE]
