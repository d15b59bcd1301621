"""Threads that ask at the same moment are served together, each exactly once."""

import threading
from collections.abc import Sequence

import pytest

from app.services.runners.turns import Turn, Turns

LONGEST = 20.0


class Served:
    """Work that the first caller does not end before all others have asked, and that notes who was served with whom."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.together: list[list[Turn]] = []
        self.waited: list[Turn] = []
        self.fails_for: Turn | None = None

    def __call__(self, turns: Sequence[Turn]) -> None:
        self.together.append(list(turns))
        self.begun.set()
        assert self.may_end.wait(LONGEST)
        if self.fails_for in turns:
            raise ValueError("one of them cannot be served")


def start(turns: Turns[Turn], mine: Turn, work: Served, failed: list[Exception]) -> threading.Thread:
    def ask() -> None:
        try:
            turns.serve(mine, work, before_waiting=lambda: work.waited.append(mine))
        except ValueError as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def all_of(turns: Turns[Turn], asks: Sequence[Turn], work: Served) -> list[Exception]:
    """The first asks, then all others while it is served; what was raised."""
    failed: list[Exception] = []
    threads = [start(turns, asks[0], work, failed)]
    assert work.begun.wait(LONGEST)
    threads += [start(turns, each, work, failed) for each in asks[1:]]
    while len(turns._waiting) < len(asks) - 1:
        threading.Event().wait(0.001)
    work.may_end.set()
    for thread in threads:
        thread.join(LONGEST)
        assert not thread.is_alive()
    return failed


def test_who_comes_while_one_is_served_is_served_with_all_who_wait_and_never_more_than_may() -> None:
    asks, work = [Turn() for _ in range(9)], Served()
    assert all_of(Turns(5), asks, work) == []
    assert [len(each) for each in work.together] == [1, 5, 3]
    assert sorted(id(one) for each in work.together for one in each) == sorted(id(one) for one in asks)


@pytest.mark.parametrize("bad", [0, 1, 8])
def test_a_failure_is_raised_once_and_stops_nobody_else(bad: int) -> None:
    asks, work = [Turn() for _ in range(9)], Served()
    work.fails_for = asks[bad]
    turns: Turns[Turn] = Turns(5)
    assert len(all_of(turns, asks, work)) == 1
    assert all(each.done for each in asks)
    work.fails_for = None
    turns.serve(Turn(), work, before_waiting=work.waited.clear)
    assert set(work.waited) == set(asks[1:])
