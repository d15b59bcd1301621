"""The globs of artifacts and caches (gitlab.md A.6): doublestar's rules, matched one path segment at a time.

`*` and `?` stay within a segment and match dots, `**` as a whole segment is any number of segments, `[a-z]`, `[^a-z]`,
`{a,b}`, and a backslash takes the next character literally.
"""

import fnmatch
import re
from collections.abc import Iterator

MOST_BRACES = 1000
ANY_DEPTH = "**"


class GlobError(ValueError):
    """The pattern is absolute, leads out of the tree, or expands to too many."""


class Glob:
    """One pattern, ready to be walked down a tree with: `start`, then `step` for each name on the way.

    A state is the set of places in the pattern where the path may be so far; empty when nothing below can match.
    """

    def __init__(self, pattern: str) -> None:
        """Raises GlobError."""
        self._alternatives = [compile_segments(split(text)) for text in braces(pattern)]

    def start(self) -> frozenset[tuple[int, int]]:
        """The state at the tree's top."""
        return self._closure({(number, 0) for number in range(len(self._alternatives))})

    def step(self, state: frozenset[tuple[int, int]], name: str) -> frozenset[tuple[int, int]]:
        """The state after going into `name`."""
        after: set[tuple[int, int]] = set()
        for number, place in state:
            segments = self._alternatives[number]
            if place == len(segments):
                continue
            segment = segments[place]
            if segment is None:
                after.add((number, place))
            elif segment.match(name):
                after.add((number, place + 1))
        return self._closure(after)

    def accepts(self, state: frozenset[tuple[int, int]]) -> bool:
        """Whether the path so far matches the whole pattern."""
        return any(place == len(self._alternatives[number]) for number, place in state)

    def matches(self, path: str) -> bool:
        """Whether `path`, relative and with slashes, matches."""
        state = self.start()
        for name in path.split("/"):
            state = self.step(state, name)
        return self.accepts(state)

    def _closure(self, state: set[tuple[int, int]]) -> frozenset[tuple[int, int]]:
        """`**` also stands for no segment at all."""
        waiting = list(state)
        while waiting:
            number, place = waiting.pop()
            segments = self._alternatives[number]
            if place < len(segments) and segments[place] is None and (number, place + 1) not in state:
                state.add((number, place + 1))
                waiting.append((number, place + 1))
        return frozenset(state)


def split(pattern: str) -> list[str]:
    """The pattern's segments, with `.` and `..` resolved. Raises GlobError when it leads out of the tree."""
    if pattern.startswith("/"):
        raise GlobError("absolute")
    segments: list[str] = []
    for segment in pattern.split("/"):
        if segment == "..":
            if not segments:
                raise GlobError("leads out of the tree")
            segments.pop()
        elif segment not in ("", "."):
            segments.append(segment)
    return segments


def compile_segments(segments: list[str]) -> list[re.Pattern[str] | None]:
    """A regular expression for each segment, None for `**`. fnmatch's expressions need no backtracking over stars."""
    return [
        None if segment == ANY_DEPTH else re.compile(fnmatch.translate(to_fnmatch(segment))) for segment in segments
    ]


def to_fnmatch(segment: str) -> str:
    """The segment in fnmatch's spelling: `[^` is `[!`, and an escaped character is a class of one."""
    result, position = "", 0
    while position < len(segment):
        character = segment[position]
        if character == "\\" and position + 1 < len(segment):
            result += literal(segment[position + 1])
            position += 2
        elif character == "[" and segment[position + 1 : position + 2] == "^":
            result += "[!"
            position += 2
        else:
            result += character
            position += 1
    return result


def literal(character: str) -> str:
    return f"[{character}]" if character in "*?[" else character


def braces(pattern: str) -> Iterator[str]:
    """`a{b,c}d` → `abd`, `acd`; nested ones too; an unclosed brace is a plain character."""
    waiting, produced = [pattern], 0
    while waiting:
        text = waiting.pop()
        found = first_brace(text)
        if found is None:
            produced += 1
            yield text
        else:
            start, end, options = found
            waiting += [text[:start] + option + text[end:] for option in reversed(options)]
        if produced + len(waiting) > MOST_BRACES:
            raise GlobError("expands to too many patterns")


def first_brace(text: str) -> tuple[int, int, list[str]] | None:
    """Where the first complete brace group begins and ends, and its alternatives."""
    for start, character in enumerate(text):
        if character != "{" or escaped(text, start):
            continue
        depth, begin, options = 0, start + 1, []
        for position in range(start, len(text)):
            if escaped(text, position):
                continue
            if text[position] == "{":
                depth += 1
            elif text[position] == "," and depth == 1:
                options.append(text[begin:position])
                begin = position + 1
            elif text[position] == "}":
                depth -= 1
                if depth == 0:
                    return start, position + 1, [*options, text[begin:position]]
    return None


def escaped(text: str, position: int) -> bool:
    """Whether an odd number of backslashes stands before `position`."""
    before = text[:position]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1
