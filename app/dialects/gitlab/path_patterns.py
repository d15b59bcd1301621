"""The regular expressions of `changes:regexp` and `exists:regexp`, in Ruby's syntax but in linear time.

RE2 has no look-arounds, but what they are written for here is mostly one thing: `\\A(?!docs/)`, "a file that is not
below docs". Look-aheads directly behind `\\A` or `^` are conditions on the same place, so each is a pattern of its own;
any other is refused.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from app.dialects.gitlab.patterns import InvalidPattern, Search, searcher

LONGEST = 255

_FLAGS = re.compile(r"\(\?([im]+)\)")
_ANCHOR = re.compile(r"\\A|\^")
_LOOK_AHEAD = re.compile(r"\(\?([=!])")
# In Ruby `^` and `$` always mean a line's, and `m` lets the dot match a newline.
_LINES = "m"
_OUTSIDE = {"Z": r"\n?\z", "h": "[0-9a-fA-F]", "H": "[^0-9a-fA-F]"}
_INSIDE = {"h": "0-9a-fA-F"}


class _Piece(NamedTuple):
    """A character, or an escape of two; `in_class` within brackets."""

    text: str
    in_class: bool


@lru_cache(maxsize=512)
def path_searcher(pattern: str) -> Search:
    """A function that says whether `pattern` is found in a path. Raises InvalidPattern."""
    flags = _FLAGS.match(pattern)
    body = pattern[flags.end() :] if flags else pattern
    chosen = _LINES + (flags[1].replace("m", "s") if flags else "")
    if _LOOK_AHEAD.search(body) is None:
        return searcher(_translated(body), chosen)
    alternatives = [_alternative(text, chosen) for text in _alternatives(body)]
    return lambda path: any(matches(path) for matches in alternatives)


def _alternative(text: str, flags: str) -> Search:
    """One of the texts between `|`: an anchor, look-aheads behind it, and the rest."""
    anchor = _ANCHOR.match(text)
    conditions: list[tuple[bool, Search]] = []
    at = anchor.end() if anchor else 0
    while anchor and (found := _LOOK_AHEAD.match(text, at)):
        end = _end_of_group(text, at)
        conditions.append((found[1] == "=", _from_start(text[found.end() : end], flags)))
        at = end + 1
    if not anchor or not conditions:
        return searcher(_translated(text), flags)
    rest = _from_start(text[at:], flags)

    def holds(start: str) -> bool:
        return rest(start) and all(condition(start) == wanted for wanted, condition in conditions)

    return holds if anchor[0] == r"\A" else lambda path: any(holds(start) for start in _lines(path))


def _from_start(text: str, flags: str) -> Search:
    return searcher(rf"\A(?:{_translated(text)})", flags)


def _lines(path: str) -> Iterator[str]:
    """The path from the beginning of each of its lines; git allows newlines in names."""
    yield path
    at = path.find("\n")
    while at >= 0:
        yield path[at + 1 :]
        at = path.find("\n", at + 1)


def _pieces(text: str) -> Iterator[_Piece]:
    depth = at = 0
    while at < len(text):
        piece = text[at : at + 2] if text[at] == "\\" else text[at]
        if piece == "]" and depth:
            depth -= 1
        yield _Piece(piece, depth > 0)
        if piece == "[":
            depth += 1
        at += len(piece)


def _translated(text: str) -> str:
    """`text` with the escapes that RE2 does not have written out."""
    return "".join(_escape(piece) for piece in _pieces(text))


def _escape(piece: _Piece) -> str:
    if len(piece.text) == 1:
        return piece.text
    known = _INSIDE if piece.in_class else _OUTSIDE
    return known.get(piece.text[1], piece.text)


def _alternatives(text: str) -> list[str]:
    """The parts between those `|` that stand in no group."""
    parts, depth = [""], 0
    for piece in _pieces(text):
        if not piece.in_class:
            depth += (piece.text == "(") - (piece.text == ")")
        if piece.text == "|" and not depth and not piece.in_class:
            parts.append("")
        else:
            parts[-1] += piece.text
    return parts


def _end_of_group(text: str, start: int) -> int:
    """Where the group that begins at `start` ends."""
    depth, at = 0, start
    for piece in _pieces(text[start:]):
        if not piece.in_class:
            depth += (piece.text == "(") - (piece.text == ")")
            if not depth:
                return at
        at += len(piece.text)
    raise InvalidPattern("missing ): " + text[start:])
