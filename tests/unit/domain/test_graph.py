"""The layout of a pipeline's graph: examples, and what holds of any pipeline."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.graph import Layout, Node, critical_path, group_name, lay_out, natural

WORDS = ("build", "test 1/3", "test 2/3", "test 10/3", "unit: [linux, 3.12]", "unit: [mac, 3.9]", "lint")


@st.composite
def pipelines(draw: st.DrawFn) -> list[Node]:
    """Jobs in up to four stages; needs point to the same stage or earlier, and some to nothing."""
    columns = sorted(draw(st.lists(st.integers(0, 3), max_size=14)))
    nodes: list[Node] = []
    for number, column in enumerate(columns):
        known = [node.key for node in nodes]
        needs = draw(st.none() | st.lists(st.sampled_from([*known, "gone"]), unique=True, max_size=3).map(tuple))
        start = draw(st.none() | st.integers(0, 40))
        end = None if start is None else start + draw(st.integers(0, 20))
        nodes.append(Node(f"k{number}", draw(st.sampled_from(WORDS)), column, needs, start, end))
    return nodes


def cells(layout: Layout) -> list:
    return [cell for column in layout.columns for lane in column.lanes for cell in lane]


@given(pipelines(), st.sets(st.sampled_from(("test", "unit"))), st.randoms(use_true_random=False))
def test_every_job_has_one_place_in_its_column_and_needs_only_what_is_to_its_left(nodes, opened, random) -> None:
    layout = lay_out(nodes, opened)
    assert set(layout.places) == {node.key for node in nodes}
    shown = [cell for cell in cells(layout) if not (cell.group and cell.open)]
    assert sorted(key for cell in shown for key in cell.keys) == sorted(layout.places)
    assert all(layout.places[key] == cell.place for cell in shown for key in cell.keys)
    lanes = [lane for column in layout.columns for lane in column.lanes]
    assert [[cell.place for cell in lane] for lane in lanes] == [
        [(number, row) for row in range(len(lane))] for number, lane in enumerate(lanes)
    ]
    assert [column.index for column in layout.columns] == sorted({node.column for node in nodes})
    column_of = {cell.place: column.index for column in layout.columns for lane in column.lanes for cell in lane}
    assert all(column_of[layout.places[node.key]] == node.column for node in nodes)
    assert all(edge.start.lane < edge.end.lane for edge in layout.edges)
    shuffled = list(nodes)
    random.shuffle(shuffled)
    assert lay_out(shuffled, opened) == layout


@given(pipelines(), st.sets(st.sampled_from(("test", "unit"))))
def test_the_lines_say_all_needs_and_none_says_what_others_say(nodes, opened) -> None:
    layout = lay_out(nodes, opened)
    wanted = {
        (layout.places[need], layout.places[node.key])
        for node in nodes
        for need in node.needs or ()
        if need in layout.places
    }
    assert set(layout.edges) <= wanted
    for edge in wanted:
        assert edge[1] in _reachable(edge[0], layout.edges)
    for edge in layout.edges:
        assert edge.end not in _reachable(edge.start, [other for other in layout.edges if other != edge])


def _reachable(start, edges) -> set:
    found, front = set(), [start]
    while front:
        here = front.pop()
        fresh = {end for begin, end in edges if begin == here} - found
        found |= fresh
        front += fresh
    return found


@given(pipelines())
def test_the_critical_path_ends_with_the_last_job_and_none_in_it_waited_for_a_later_one(nodes) -> None:
    known = {node.key: node for node in nodes}
    path = [known[key] for key in critical_path(nodes)]
    ran = [node for node in nodes if node.end is not None]
    assert bool(path) == bool(ran)
    if ran:
        assert path[-1].end == max(node.end for node in ran)
    for before, after in pairwise(path):
        assert before.end <= after.start
        assert before.column <= after.column


def test_the_path_passes_through_what_did_not_run_and_takes_the_slowest() -> None:
    nodes = [
        Node("quick", "quick", 0, None, 0, 2),
        Node("slow", "slow", 0, None, 0, 9),
        Node("gate", "gate", 1),
        Node("free", "free", 1, (), 0, 8),
        Node("ship", "ship", 2, ("gate",), 10, 12),
        Node("late", "late", 2, ("free",), 8, 11),
    ]
    assert critical_path(nodes) == ("slow", "ship")
    assert critical_path([]) == critical_path([Node("new", "new", 0)]) == ()


def test_jobs_of_one_stage_that_need_each_other_stand_side_by_side() -> None:
    layout = lay_out([Node("a", "a", 0), Node("b", "b", 0, ("a",)), Node("c", "c", 0, ("a", "b")), Node("d", "d", 1)])
    assert layout.places == {"a": (0, 0), "b": (1, 0), "c": (2, 0), "d": (3, 0)}
    assert layout.edges == (((0, 0), (1, 0)), ((1, 0), (2, 0)))
    assert (layout.lanes, layout.rows) == (4, 1)


def test_rows_follow_what_is_needed_so_that_lines_do_not_cross() -> None:
    needs = {"a": ("z",), "b": ("y",), "c": ("x",)}
    nodes = [Node(name, name, 0) for name in "xyz"] + [Node(name, name, 1, needs[name]) for name in "abc"]
    assert [cell.keys for cell in lay_out(nodes).columns[1].lanes[0]] == [("c",), ("b",), ("a",)]


def test_a_group_is_one_cell_until_it_is_opened_and_a_single_instance_is_none() -> None:
    names = ("test 10/10", "test 2/10", "lint 1/1", "deploy")
    nodes = [Node(name, name, 0, ()) for name in names] + [Node("end", "end", 1, ("test 10/10", "test 2/10"))]
    folded = lay_out(nodes)
    assert [(cell.group, cell.keys) for cell in folded.columns[0].lanes[0]] == [
        ("", ("deploy",)),
        ("", ("lint 1/1",)),
        ("test", ("test 2/10", "test 10/10")),
    ]
    assert len(folded.edges) == 1
    opened = lay_out(nodes, {"test"})
    assert [(cell.group, cell.inside) for cell in opened.columns[0].lanes[0]][2:] == [
        ("test", False),
        ("", True),
        ("", True),
    ]
    assert len(opened.edges) == 2


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("test 1/3", "test"),
        ("unit: [linux, 3.12]", "unit"),
        ("a b: [x]", "a b"),
        ("rspec 1:3", "rspec"),
        ("test", ""),
        ("1/3", ""),
        ("[x]", ""),
        ("deploy 2", ""),
        ("v1.2/3x", ""),
    ],
)
def test_instances_are_told_by_their_names(name: str, group: str) -> None:
    assert group_name(name) == group


def test_names_are_sorted_as_people_count() -> None:
    assert sorted(("t 10", "t 9", "a", "t", "10"), key=natural) == ["10", "a", "t", "t 9", "t 10"]


def test_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="need each other"):
        lay_out([Node("a", "a", 0, ("b",)), Node("b", "b", 0, ("a",))])
