"""Subordinate ids: two users must never share one."""

from hypothesis import given
from hypothesis import strategies as st
from skerry_setup.subids import RANGE, free_range

ranges = st.lists(st.tuples(st.integers(0, 2_000_000), st.integers(1, 200_000)), max_size=20)


def test_the_first_user_gets_the_customary_first_range() -> None:
    assert free_range("") == 100000


def test_lines_that_are_not_ranges_are_passed_over() -> None:
    assert free_range("# comment\n\nbroken\nname:x:65536\nother:100000:65536\n") == 165536


@given(ranges)
def test_a_new_range_touches_no_existing_one(taken: list[tuple[int, int]]) -> None:
    start = free_range("\n".join(f"u{low}:{low}:{count}" for low, count in taken))
    assert start >= 100000
    assert all(start + RANGE <= low or low + count <= start for low, count in taken)
