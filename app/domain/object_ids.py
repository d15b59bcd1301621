"""Ids of 24 hex digits for rows that have integers: 8 of the second of creation, 2 of the kind, 14 of the integer.

    encode(Kind.PIPELINE, created_at, 57)  ->  "577a4dbc" "03" "00000000000039"

They can be turned back, so no table of them is kept. Whoever looks one up compares the second with the row's: an id
that was made up names nothing (design, "The rows").
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

PATTERN = re.compile(r"[0-9a-fA-F]{24}")


class Kind(IntEnum):
    """What an id is of. The numbers stand in ids that clients keep: they never change.

    CHAIN is a pipeline with all that were started from it, LINK a pipeline as a part of that, CONFIGURATION the reading
    of a pipeline's configuration.
    """

    PROJECT = 1
    DEFINITION = 2
    PIPELINE = 3
    STEP = 4
    USER = 5
    GROUP = 6
    TOKEN = 7
    VARIABLE = 8
    CHAIN = 9
    LINK = 10
    CONFIGURATION = 11
    DEFINITION_VARIABLE = 12


@dataclass(frozen=True, slots=True)
class ObjectId:
    """An id, taken apart. `kind` is a number that may be no Kind's."""

    seconds: int
    kind: int
    key: int

    def names(self, kind: Kind, created_at: datetime) -> bool:
        """Whether this is the id of a row of `kind` that was made at `created_at`, and has the key."""
        return self.kind == kind and self.seconds == _seconds(created_at)


def encode(kind: Kind, created_at: datetime, key: int) -> str:
    """The id of the row `key` that was made at `created_at`."""
    return f"{_seconds(created_at):08x}{kind:02x}{key:014x}"


def decode(text: str) -> ObjectId | None:
    """The parts of an id in either case; None for what has not its form."""
    if not PATTERN.fullmatch(text):
        return None
    return ObjectId(int(text[:8], 16), int(text[8:10], 16), int(text[10:], 16))


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
