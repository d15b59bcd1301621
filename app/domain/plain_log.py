"""A log's bytes as plain lines: what a person would have seen, without colours, markers and what was overwritten.

The pages read a line in the same way (`static/js/log/ansi.js`); a test holds the two against each other.
"""

import re

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, erasing, cursor moves
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)"  # OSC: titles and links
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\|$)"  # DCS and its kin
    r"|\x1b[ -/]*[0-~]?"
)
# Everything in it has a bound: a job can print a long line of nothing but beginnings of markers.
_MARKER = re.compile(r"section_(?:start|end):\d{1,12}:[A-Za-z0-9_.-]{1,200}(?:\[[^\]\r\n]{0,200}\])?\r")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
#: What GitLab's runner puts before a line: the time, the stream, whether the line before goes on (gitlab.md A.5).
_STAMP = re.compile(r"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [0-9a-f]{2}[EO][+ ]")
_STAMP_HINT = b"Z 0"
# K erases, which matters to a line that is typed over: such lines are looked at one by one.
_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-JL-~]")
_ERASE_TO_END = re.compile(r"\x1b\[0?K")
_ERASE = "\v"
_UNSEEN = bytes([*range(9), *range(11, 32), 127])
_UNCLEAN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LONGEST_LINE = 4096


def plain_lines(data: bytes) -> list[str]:
    """`data` as lines of text: no escapes, no section markers, of a line that was overwritten only what stayed."""
    lines = data.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [plain_line(line) for line in lines]


def plain_line(line: str) -> str:
    """One line as it was seen, cut to LONGEST_LINE characters."""
    return _bare(_STAMP.sub("", line, count=1))[:LONGEST_LINE]


def plain_text(data: bytes) -> str:
    """The same lines, uncut, as one text: for much of it, most of which has no more than colours."""
    plain = len(data.translate(None, _UNSEEN)) == len(data) and _STAMP_HINT not in data
    text = data.decode("utf-8", "replace")
    if plain:
        return text
    if _STAMP_HINT in data:
        text = _STAMP.sub("", text)
    if "section_" not in text:  # whose markers end with such a return
        text = text.replace("\r\n", "\n")
    text = _COLOURS.sub("", text)
    if not _UNCLEAN.search(text):
        return text
    return "\n".join(_bare(line) if _UNCLEAN.search(line) else line for line in text.split("\n"))


def _bare(line: str) -> str:
    typed_over = "\b" in line
    if typed_over:
        line = _ERASE_TO_END.sub(_ERASE, line.replace(_ERASE, ""))
    text = _ESCAPES.sub("", _MARKER.sub("", line))
    stayed = next((part for part in reversed(text.split("\r")) if part.strip("\b\v")), "")
    return _CONTROLS.sub("", _as_typed(stayed) if typed_over else stayed)


def _as_typed(text: str) -> str:
    """What a terminal shows of `text`: a backspace goes back by one, and what comes next goes over what is there."""
    cells: list[str] = []
    at = 0
    for character in text:
        if character == "\b":
            at = max(0, at - 1)
        elif character == _ERASE:
            del cells[at:]
        elif not _CONTROLS.match(character):
            cells[at : at + 1] = character
            at += 1
    return "".join(cells)
