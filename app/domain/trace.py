"""What to do with a piece of a trace that says where it starts (gitlab.md A.5)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Append:
    """The piece goes at the end; the trace is `size` bytes long afterwards."""

    size: int


@dataclass(frozen=True, slots=True)
class Have:
    """The piece is a repetition of the last one: nothing to write, all is well."""

    size: int


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The piece does not start where the trace ends: nothing to write, the sender goes on from byte `size`."""

    size: int


def accept(size: int, start: int, length: int) -> Append | Have | Mismatch:
    """Decide on `length` bytes from offset `start` for a trace of `size` bytes. All three are 0 or more.

    The end that the sender claims plays no part: only the bytes that came count.
    """
    if start == size:
        return Append(size + length)
    return Have(size) if start + length == size and length else Mismatch(size)
