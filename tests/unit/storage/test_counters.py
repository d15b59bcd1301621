"""Counters in a file that processes share."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.storage import counters
from app.storage.counters import SharedCounters


def test_each_name_is_counted_by_itself_and_anew_in_each_window(tmp_path: Path) -> None:
    shared = SharedCounters(tmp_path / "counts")
    assert [shared.count("a", 7), shared.count("a", 7), shared.count("b", 7)] == [1, 2, 1]
    assert [shared.count("a", 8), shared.count("a", 8)] == [1, 2]


def test_another_process_after_a_restart_counts_on(tmp_path: Path) -> None:
    assert SharedCounters(tmp_path / "counts").count("a", 7) == 1
    assert SharedCounters(tmp_path / "counts").count("a", 7) == 2
    assert (tmp_path / "counts").stat().st_mode & 0o777 == 0o600


def _count(path: Path, times: int) -> None:
    shared = SharedCounters(path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: shared.count("a", 7), range(times)))


def test_no_count_is_lost_between_threads_and_processes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_count, args=(tmp_path / "counts", 500)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert SharedCounters(tmp_path / "counts").count("a", 7) == 1501


def test_where_all_places_are_taken_the_least_counted_makes_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "_SLOTS", counters._WAYS)  # one row, which all names share
    shared = SharedCounters(tmp_path / "counts")
    for name in "abcdefgh":
        for _ in range(2 if name == "c" else 3):
            shared.count(name, 7)
    assert shared.count("new", 7) == 1
    assert shared.count("c", 7) == 1
    assert shared.count("a", 7) == 4


def test_a_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        SharedCounters(tmp_path / "missing" / "counts").count("a", 7)
