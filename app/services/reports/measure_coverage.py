"""The coverage that a job's log tells of (gitlab.md C.2, `coverage`)."""

import re
from collections.abc import Iterator
from typing import Any

import re2

from app.models import Job
from app.services.core import Core
from app.services.jobs.read_trace import open_trace

#: So much of a log's end is searched, in bytes, and so much of one line.
SEARCHED = 16 * 1024 * 1024
PIECE = 256 * 1024
LONGEST_LINE = 64 * 1024
_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
# Colours and the like, and what a stock runner writes before each line (gitlab.md A.7).
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [0-9a-f]{2}[EO][+ ]", re.ASCII)


def measure_coverage(core: Core, job: Job) -> float | None:
    """The percentage in the last line of the log that matches `coverage` of the job's plan; None where there is none.

    Of several matches in that line the last counts, of several numbers in the match the first, as in GitLab. A pattern
    with a group is about its last group alone.
    """
    pattern = job.plan.get("coverage")
    search = _compiled(pattern) if pattern else None
    if search is None:
        return None
    for line in _lines_backwards(core, job):
        found = _number(search, _plain(line))
        if found is not None:
            return found
    return None


def _compiled(pattern: str) -> Any:
    """The pattern in an engine whose time grows linearly; None for one that it does not take."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError):
        return None


def _plain(line: str) -> str:
    stamp = _STAMP.match(line)
    return _ESCAPES.sub("", line[stamp.end() :] if stamp else line).rstrip("\r")


def _number(search: Any, line: str) -> float | None:
    last = None
    for match in search.finditer(line):
        last = match
    if last is None:
        return None
    text = last.groups()[-1] if last.groups() else last.group()
    number = _NUMBER.search(text or "")
    # More digits than any percentage has are not worth a number.
    return float(number.group()) if number and len(number.group()) <= 20 else None


def _lines_backwards(core: Core, job: Job) -> Iterator[str]:
    """The log's lines from the last to the first, each at most so long, as far as the log is searched."""
    with open_trace(core, job) as trace:
        end, rest = trace.size, b""
        while end > 0 and trace.size - end < SEARCHED:
            start = max(0, end - PIECE)
            trace.seek(start)
            block = trace.read(end - start) + rest
            first, *lines = block.split(b"\n")
            for line in reversed(lines):
                yield line[:LONGEST_LINE].decode("utf-8", "replace")
            rest, end = first[:LONGEST_LINE], start
        if end == 0:
            yield rest.decode("utf-8", "replace")
