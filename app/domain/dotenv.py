"""The variables that a job hands on in a dotenv report (gitlab.md C.14): `KEY=value` on every line, nothing else."""

import re
from collections.abc import Iterable

from app.domain.errors import InvalidReport

#: A report has to be smaller than this, in bytes.
MOST_BYTES = 5120
MOST_VARIABLES = 20
LONGEST_KEY = 255
_KEY = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def parse(files: Iterable[bytes]) -> dict[str, str]:
    """The variables of all files of one report; of equal keys the last counts. Values stand as they are written,
    quotes and references to other variables included, but for blanks around them.

    Raises InvalidReport.
    """
    found: dict[str, str] = {}
    size = 0
    for data in files:
        size += len(data)
        if size >= MOST_BYTES:
            raise InvalidReport(f"Dotenv Artifact Too Big. Maximum Allowable Size: {MOST_BYTES}")
        found |= dict(_variable(line) for line in _lines(_decoded(data)))
    if len(found) > MOST_VARIABLES:
        raise InvalidReport(f"Dotenv files cannot have more than {MOST_VARIABLES} variables")
    return found


def _decoded(data: bytes) -> str:
    """UTF-8, or UTF-16 as shells of Windows write it; what is neither becomes replacement characters."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if data[1:2] == b"\0":
        return data.decode("utf-16-le", "replace")
    if data[:1] == b"\0":
        return data.decode("utf-16-be", "replace")
    return data.decode("utf-8", "replace")


def _lines(text: str) -> list[str]:
    """Split at line feeds alone: what else Python takes for the end of a line may be part of a value."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _variable(line: str) -> tuple[str, str]:
    key, equals, value = line.partition("=")
    key = key.strip()
    if not equals:
        raise InvalidReport("Invalid Format")
    if len(key) > LONGEST_KEY:
        raise InvalidReport(f"Validation failed: Key is too long (maximum is {LONGEST_KEY} characters)")
    if not _KEY.fullmatch(key):
        raise InvalidReport("Validation failed: Key can contain only letters, digits and '_'.")
    # No environment can hold a NUL.
    return key, value.strip().replace("\0", "")
