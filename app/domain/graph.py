"""Where the jobs of a pipeline stand on its page, which lines join them, and which chain of them took the time.

Each stage is a column. A column has as many lanes as its jobs need one another, and a lane holds cells, one below the
other: a job, or jobs that differ only in their number or matrix, folded into one. So every line leads to the right.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from statistics import fmean
from typing import NamedTuple

_INSTANCE = re.compile(r"(?P<base>.*\S)(?:: \[.*\]|[\s:]+\d+[\s:/\\]+\d+)\s*", re.DOTALL)
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Node:
    """A job, or what stands in the graph like one. `column` orders the stages.

    `needs`: keys, of the same column or earlier ones, never in a circle; keys of nothing are passed over. None: it
    waits for all earlier columns. `start` and `end` are in seconds of any one clock, None for what has not run.
    """

    key: str
    name: str
    column: int
    needs: tuple[str, ...] | None = None
    start: float | None = None
    end: float | None = None


class Place(NamedTuple):
    """Lanes count from the left of the graph, rows from the top of their lane; both from 0."""

    lane: int
    row: int


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands at one place: a job (`group` empty), or the head of a group.

    The head of a folded group stands for its members; below that of an open one they follow, `inside`.
    """

    place: Place
    keys: tuple[str, ...]
    group: str = ""
    open: bool = False
    inside: bool = False


class Edge(NamedTuple):
    """What is at `start` is needed by what is at `end`."""

    start: Place
    end: Place


@dataclass(frozen=True, slots=True)
class Column:
    """A stage: its lanes from left to right, none of them empty."""

    index: int
    lanes: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """`places`: where each key is to be seen; the members of a folded group are at its head."""

    columns: tuple[Column, ...]
    edges: tuple[Edge, ...]
    places: Mapping[str, Place]

    @property
    def lanes(self) -> int:
        return sum(len(column.lanes) for column in self.columns)

    @property
    def rows(self) -> int:
        """How many rows the fullest lane has."""
        return max((len(lane) for column in self.columns for lane in column.lanes), default=0)


def group_name(name: str) -> str:
    """What the instances of a parallel job have in common: "test" of "test 1/3" and of "test: [linux, 3.12]". Empty for
    others.
    """
    found = _INSTANCE.fullmatch(name)
    return found["base"] if found else ""


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts names as people count: "test 2" before "test 10"."""
    pieces = _DIGITS.split(name)
    return tuple((1, int(piece), piece) if at % 2 else (0, 0, piece) for at, piece in enumerate(pieces))


def lay_out(nodes: Iterable[Node], opened: Collection[str] = ()) -> Layout:
    """Give every node its place. Groups whose name is in `opened` are shown with their members.

    The same nodes make the same layout in whatever order they come. Raises ValueError for a circle of needs.
    """
    known = {node.key: node for node in nodes}
    lanes = _lanes(known)
    _order_rows(lanes, known)
    columns: dict[int, list[tuple[Cell, ...]]] = defaultdict(list)
    places: dict[str, Place] = {}
    for number, ((column, _level), boxes) in enumerate(lanes):
        cells = _cells(number, boxes, known, opened)
        columns[column].append(cells)
        # The head of an open group comes first, so that its members' own places win.
        places.update((key, cell.place) for cell in cells for key in cell.keys)
    shown = tuple(Column(index, tuple(lanes)) for index, lanes in columns.items())
    return Layout(shown, _edges(known, places), places)


def critical_path(nodes: Iterable[Node]) -> tuple[str, ...]:
    """The chain of jobs that decided when the last one ended, in the order in which they ran.

    Each is the one that ended last among those that the next had to wait for; what has not run is passed through.
    """
    known = {node.key: node for node in nodes}
    ran = [node for node in known.values() if _ran(node)]
    path: list[str] = []
    last = max(ran, key=_end_and_key, default=None)
    while last is not None:
        path.append(last.key)
        start = last.start
        before = (node for node in _waited_for(last, known) if start is not None and _end_and_key(node)[0] <= start)
        last = max(before, key=_end_and_key, default=None)
    return tuple(reversed(path))


@dataclass(slots=True)
class _Box:
    """A job or a group within a lane, before it has a row. `keys` are in natural order."""

    group: str
    keys: list[str] = field(default_factory=list)


def _levels(known: Mapping[str, Node]) -> dict[str, int]:
    """How many jobs of its own column each job has before it, in a chain."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for node in known.values():
        sorter.add(node.key, *_same_column(node, known))
    levels: dict[str, int] = {}
    try:
        for key in sorter.static_order():
            levels[key] = 1 + max((levels[need] for need in _same_column(known[key], known)), default=-1)
    except CycleError as circle:
        raise ValueError(f"jobs need each other: {circle.args[1]}") from None
    return levels


def _same_column(node: Node, known: Mapping[str, Node]) -> list[str]:
    return [need for need in node.needs or () if need in known and known[need].column == node.column]


def _lanes(known: Mapping[str, Node]) -> list[tuple[tuple[int, int], list[_Box]]]:
    """Every lane, by column and level; its boxes by name."""
    levels = _levels(known)
    lanes: dict[tuple[int, int], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for node in sorted(known.values(), key=lambda node: (natural(node.name), node.key)):
        lanes[node.column, levels[node.key]][group_name(node.name) or f"\0{node.key}"].append(node.key)
    return [
        (place, [box for group, keys in boxes.items() for box in _boxes(group, keys)])
        for place, boxes in sorted(lanes.items())
    ]


def _boxes(group: str, keys: list[str]) -> Iterable[_Box]:
    if group.startswith("\0") or len(keys) == 1:
        return [_Box("", [key]) for key in keys]
    return [_Box(group, keys)]


def _order_rows(lanes: list[tuple[tuple[int, int], list[_Box]]], known: Mapping[str, Node]) -> None:
    """Lower those boxes that wait for low ones, so that lines cross less often."""
    rows: dict[str, int] = {}
    for _, boxes in lanes:
        by_name = {id(box): at for at, box in enumerate(boxes)}

        def height(box: _Box, by_name: Mapping[int, int] = by_name) -> tuple[float, int]:
            before = [rows[need] for key in box.keys for need in known[key].needs or () if need in rows]
            at = by_name[id(box)]
            return (fmean(before) if before else float(at), at)

        boxes.sort(key=height)
        rows.update((key, row) for row, box in enumerate(boxes) for key in box.keys)


def _cells(lane: int, boxes: list[_Box], known: Mapping[str, Node], opened: Collection[str]) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for box in boxes:
        is_open = bool(box.group) and box.group in opened
        cells.append(Cell(Place(lane, len(cells)), tuple(box.keys), box.group, open=is_open))
        for key in box.keys if is_open else ():
            cells.append(Cell(Place(lane, len(cells)), (key,), inside=True))
    return tuple(cells)


def _edges(known: Mapping[str, Node], places: Mapping[str, Place]) -> tuple[Edge, ...]:
    """One line between any two places, without those that longer ways through other places say already."""
    before: dict[Place, set[Place]] = defaultdict(set)
    for node in known.values():
        end = places[node.key]
        needed = (places[need] for need in node.needs or () if need in places)
        before[end].update(place for place in needed if place.lane < end.lane)
    reached: dict[Place, set[Place]] = {}
    edges: list[Edge] = []
    for end in sorted(before):
        further: set[Place] = set()
        for start in before[end]:
            further |= reached.get(start, set())
        edges += (Edge(start, end) for start in sorted(before[end] - further))
        reached[end] = before[end] | further
    return tuple(edges)


def _ran(node: Node) -> bool:
    return node.start is not None and node.end is not None


def _end_and_key(node: Node) -> tuple[float, str]:
    return (node.end if node.end is not None else 0.0, node.key)


def _waited_for(node: Node, known: Mapping[str, Node]) -> list[Node]:
    """The nearest nodes before `node` that have run."""
    found: list[Node] = []
    front, seen = [node], {node.key}
    while front:
        for before in _before(front.pop(), known):
            if before.key not in seen:
                seen.add(before.key)
                (found if _ran(before) else front).append(before)
    return found


def _before(node: Node, known: Mapping[str, Node]) -> list[Node]:
    if node.needs is None:
        return [other for other in known.values() if other.column < node.column]
    return [known[need] for need in node.needs if need in known]
