"""A configuration as a tree that knows where each value was written.

Nodes are immutable, so aliases and templates share them. Each knows how many nodes it would be if nothing were shared
(`size`) and how deep it is (`depth`): that bounds all work on a tree before it is walked. And each knows whether there
is a reference in it (`refers`), since most trees have none and need not be walked for them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

Value = str | int | float | bool | None


class Mark(NamedTuple):
    """A place in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A single value, of the type that GitLab reads it as."""

    mark: Mark
    value: Value
    size: ClassVar[int] = 1
    depth: ClassVar[int] = 1
    refers: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A `!reference [job, keyword, …]`, not yet followed."""

    mark: Mark
    path: tuple[str, ...]
    size: ClassVar[int] = 1
    depth: ClassVar[int] = 1
    refers: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A list."""

    mark: Mark
    items: tuple["Node", ...]
    size: int
    depth: int
    refers: bool


class Entry(NamedTuple):
    """A value in a mapping, and where its key stands. `is_named` False: the key was read as a number or the like."""

    key_mark: Mark
    value: "Node"
    is_named: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """A mapping of strings, in the order written."""

    mark: Mark
    entries: dict[str, Entry]
    size: int
    depth: int
    refers: bool

    def get(self, key: str) -> "Node | None":
        """The value of `key`; None when it is absent or null, which GitLab treats alike."""
        entry = self.entries.get(key)
        return None if entry is None or is_null(entry.value) else entry.value

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def present(self) -> Iterator[tuple[str, Entry]]:
        """The entries that are not null."""
        return ((key, entry) for key, entry in self.entries.items() if not is_null(entry.value))


Node = Scalar | Sequence | Mapping | Reference


def sequence(mark: Mark, items: Iterable[Node]) -> Sequence:
    """A list with its size and depth."""
    found = tuple(items)
    return Sequence(mark, found, *_measured(found))


def mapping(mark: Mark, entries: dict[str, Entry]) -> Mapping:
    """A mapping with its size and depth."""
    return Mapping(mark, entries, *_measured([entry.value for entry in entries.values()]))


def _measured(parts: Iterable[Node]) -> tuple[int, int, bool]:
    """Size and depth of what consists of `parts`, and whether it has a reference in it."""
    size, deepest, refers = 1, 0, False
    for part in parts:
        size += part.size
        if part.depth > deepest:
            deepest = part.depth
        refers = refers or part.refers
    return size, 1 + deepest, refers


def is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def deep_merge(lower: Node, upper: Node) -> Node:
    """`upper` over `lower`: mappings are merged key by key, everything else is replaced (gitlab.md C.0)."""
    if not isinstance(lower, Mapping) or not isinstance(upper, Mapping):
        return upper
    entries = dict(lower.entries)
    for key, entry in upper.entries.items():
        below = entries.get(key)
        entries[key] = entry if below is None else entry._replace(value=deep_merge(below.value, entry.value))
    return mapping(upper.mark, entries)


def to_plain(node: Node) -> object:
    """The tree as plain dicts, lists and values, without any shared parts; references as their path."""
    if isinstance(node, Mapping):
        return {key: to_plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Sequence):
        return [to_plain(item) for item in node.items]
    return list(node.path) if isinstance(node, Reference) else node.value


def from_plain(mark: Mark, value: object) -> Node:
    """Plain values as a tree, all of it at one place; what is no plain value becomes its text."""
    if isinstance(value, dict):
        return mapping(mark, {str(key): Entry(mark, from_plain(mark, item)) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return sequence(mark, (from_plain(mark, item) for item in value))
    return Scalar(mark, value if value is None or isinstance(value, str | int | float | bool) else str(value))
