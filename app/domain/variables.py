"""CI variables: which keys and values may be used, and how references between them expand (gitlab.md B.6, C.13)."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from app.domain.errors import InvalidRequest, LimitExceeded
from app.domain.plan import Variable

EXPANSION_LIMIT = 1024 * 1024
"""No text may grow beyond this many characters by expansion."""

_REFERENCE = re.compile(
    r"\$\$|%%"
    r"|\$(?P<bare>[a-zA-Z_][a-zA-Z0-9_]*)"
    r"|\$\{(?P<braced>[a-zA-Z_][a-zA-Z0-9_]*)\}"
    r"|%(?P<percent>[a-zA-Z_][a-zA-Z0-9_]*)%"
)
_KEY = re.compile(r"[A-Za-z0-9_]{1,255}")
_MASKABLE = re.compile(r"[a-zA-Z0-9_\-+/=@:.~]{8,}")
_MASKABLE_RAW = re.compile(r"\S{8,}")


class CircularReference(InvalidRequest):
    """Variables refer to each other in a circle; `keys` names them in order of the circle."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        quoted = ", ".join(f'"{key}"' for key in keys)
        super().__init__(f"circular variable reference detected: [{quoted}]")
        self.keys = keys


def valid_key(key: str) -> bool:
    """Whether `key` can name a variable that is kept in the settings: letters, digits and underscores, at most 255."""
    return _KEY.fullmatch(key) is not None


def maskable(value: str, raw: bool) -> bool:
    """Whether `value` can be hidden in logs: 8 characters or more, one line, no spaces; unless `raw` only safe ones."""
    return (_MASKABLE_RAW if raw else _MASKABLE).fullmatch(value) is not None


def references(text: str) -> list[str]:
    """The keys that `text` refers to, in order, each as often as it occurs. `$$` and `%%` are no references."""
    if "$" not in text and "%" not in text:
        return []
    return [key for match in _REFERENCE.finditer(text) if (key := _key(match))]


def expand(text: str, mapping: Mapping[str, str]) -> str:
    """`text` with `$X`, `${X}` and `%X%` replaced; what is not in `mapping` is replaced by nothing.

    `$$` and `%%` stay. Raises LimitExceeded when the result is longer than EXPANSION_LIMIT.
    """
    return _substitute(text, lambda key: mapping.get(key, ""))


def expand_existing(text: str, mapping: Mapping[str, str]) -> str:
    """Like `expand`, but what is not in `mapping` stays as written."""
    return _substitute(text, mapping.get)


def sort_and_expand(
    variables: Iterable[Variable],
    *,
    keep_undefined: bool = False,
    expand_file_refs: bool = True,
    expand_raw_refs: bool = True,
) -> list[Variable]:
    """The same variables in the same order, their values expanded with each other's; raw ones stay as they are.

    A later definition of a key hides earlier ones; a definition that refers to its own key means the one before it.
    The three switches leave references to undefined, file and raw variables as written, for the runner to resolve: for
    its payload pass True, False, False. Raises CircularReference, and LimitExceeded when a value grows too long.
    """
    given = list(variables)
    links = _Links(given)
    values = [variable.value for variable in given]
    for index in links.in_order():
        variable = given[index]

        def look_up(key: str, at: int = index) -> str | None:
            target = links.target(key, at)
            if target is None:
                return None if keep_undefined else ""
            found = given[target]
            hidden = (found.file and not expand_file_refs) or (found.raw and not expand_raw_refs)
            return None if hidden else values[target]

        values[index] = _substitute(variable.value, look_up)
    return [
        variable if variable.value is value else replace(variable, value=value)
        for variable, value in zip(given, values, strict=True)
    ]


class _Links:
    """Which definition each reference in a list of variables means."""

    def __init__(self, variables: list[Variable]) -> None:
        self._variables = variables
        self._last: dict[str, int] = {}
        self._before: dict[int, int | None] = {}
        for index, variable in enumerate(variables):
            self._before[index] = self._last.get(variable.key)
            self._last[variable.key] = index

    def target(self, key: str, at: int) -> int | None:
        """The index that `key` means in the value at index `at`, or None."""
        last = self._last.get(key)
        return self._before[at] if last == at else last

    def in_order(self) -> tuple[int, ...]:
        """The indices of those that refer to others, each after those that its value refers to."""
        targets: dict[int, list[int]] = {}
        for index, variable in enumerate(self._variables):
            used = () if variable.raw else references(variable.value)
            if used:
                found = (self.target(key, index) for key in dict.fromkeys(used))
                targets[index] = [target for target in found if target is not None]
        if not targets:
            return ()
        try:
            return tuple(index for index in TopologicalSorter(targets).static_order() if index in targets)
        except CycleError as circle:
            # The sorter names each before what refers to it, and the first of them twice.
            ring = list(reversed(circle.args[1][1:]))
            first = ring.index(min(ring))
            keys = dict.fromkeys(self._variables[index].key for index in (*ring[first:], *ring[:first]))
            raise CircularReference(tuple(keys)) from None


def _key(match: re.Match[str]) -> str | None:
    return match["bare"] or match["braced"] or match["percent"]


def _substitute(text: str, look_up: Callable[[str], str | None]) -> str:
    """`text` with each reference replaced by what `look_up` says; None leaves it as written."""
    pieces: list[str] = []
    at = size = 0
    for match in _REFERENCE.finditer(text):
        key = _key(match)
        value = look_up(key) if key else None
        if value is None:
            continue
        pieces += (text[at : match.start()], value)
        size += match.start() - at + len(value)
        at = match.end()
        if size > EXPANSION_LIMIT:
            break
    if size + len(text) - at > EXPANSION_LIMIT and pieces:
        raise LimitExceeded(f"A text grows beyond {EXPANSION_LIMIT} characters by its variables", EXPANSION_LIMIT)
    return "".join(pieces) + text[at:]
