"""Where a job failed, read from the end of its log: the section, the command at work, and the last lines it printed.

Runners mark the phases of a job as sections and print each command before it runs, in green behind a dollar sign. What
comes after the failure (saving caches, uploading, tidying up) is told apart by the names of its sections.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.plain_log import plain_line

#: How many lines are shown, and how many characters of a command and of each line.
LINES = 10
LONGEST_COMMAND = 120
LONGEST_SHOWN = 400
_MARKER = re.compile(r"section_(start|end):\d{1,12}:([A-Za-z0-9_.-]{1,200})(?:\[[^\]\r\n]{0,200}\])?\r")
_COMMAND = "\x1b[32;1m$ "
_COMMAND_ENDS = ("\x1b[0;m", "\x1b[0m")
_COLLAPSED = " # collapsed multi-line command"
#: Sections deeper than this are not told apart.
_DEEPEST = 50
_AFTERWARDS = ("after_script", "archive_cache", "upload_artifacts", "cleanup_")


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of the failed part. `section` is the script's own that was open, `command` the one at work: None where
    nothing tells. `lines` are plain, the last LINES that are not empty; `first` and `last` are the places of the outer
    two, counted from the end of the text that was read, whose last line is 1.
    """

    lines: tuple[str, ...]
    first: int
    last: int
    section: str | None = None
    command: str | None = None


@dataclass(slots=True)
class _Line:
    text: str
    from_end: int
    command: str | None
    sections: tuple[str, ...]


def read_ending(data: bytes, inside: tuple[str, ...] | None = None) -> Ending | None:
    """What `data`, whole lines from the end of a log, says of its failure. None where nothing was printed.

    `inside`: the sections, outermost first, that are open where `data` begins; None: what ends in it and did not start.
    """
    raw = data.decode("utf-8", "replace").split("\n")
    if not raw[-1]:
        raw.pop()
    lines = list(_lines(raw, _open_before(raw) if inside is None else inside))
    failed = _failed_part(lines)
    shown = [line for line in failed if line.text.strip()][-LINES:]
    if not shown:
        return None
    command = next((line.command for line in reversed(failed) if line.command), None)
    own = shown[-1].sections[1:]  # the outermost section is a phase of the job
    return Ending(
        lines=tuple(line.text[:LONGEST_SHOWN] for line in shown),
        first=shown[0].from_end,
        last=shown[-1].from_end,
        section=own[-1] if own else None,
        command=command[:LONGEST_COMMAND] if command else None,
    )


def _lines(raw: list[str], sections: tuple[str, ...]) -> Iterator[_Line]:
    for index, line in enumerate(raw):
        for kind, name in _MARKER.findall(line):
            sections = (*sections, name)[:_DEEPEST] if kind == "start" else _without(sections, name)
        yield _Line(plain_line(line), len(raw) - index, _command(line), sections)


def _command(line: str) -> str | None:
    """The command that `line` announces. No pattern looks for it: lines may be long, and full of such beginnings."""
    _, begins, rest = line.partition(_COMMAND)
    rest = rest.rstrip()
    if not begins or not rest.endswith(_COMMAND_ENDS):
        return None
    return plain_line(rest[: rest.rindex("\x1b")].removesuffix(_COLLAPSED))


def _open_before(raw: list[str]) -> tuple[str, ...]:
    started: list[str] = []
    before: list[str] = []
    for kind, name in _MARKER.findall("\n".join(raw)):
        if kind == "start":
            started.append(name)
        elif name in started:
            del started[len(started) - 1 - started[::-1].index(name) :]
        else:
            before.append(name)
    return tuple(reversed(before))


def _without(sections: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The sections that stay open when `name` ends: what opened inside it ends too."""
    if name not in sections:
        return sections
    return sections[: len(sections) - 1 - sections[::-1].index(name)]


def _failed_part(lines: list[_Line]) -> list[_Line]:
    """The lines of the last phase that is not work afterwards; all lines where no phase is marked."""
    phase = next((line.sections[0] for line in reversed(lines) if line.sections and not _afterwards(line)), None)
    if phase is None:
        return [line for line in lines if not _afterwards(line)]
    last = max(index for index, line in enumerate(lines) if line.sections[:1] == (phase,))
    first = last
    while first and lines[first - 1].sections[:1] == (phase,):
        first -= 1
    return lines[first : last + 1]


def _afterwards(line: _Line) -> bool:
    return bool(line.sections) and line.sections[0].startswith(_AFTERWARDS)
