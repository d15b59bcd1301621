"""Traces as files: what counts stands beside the bytes, whatever a crash has left."""

import errno
import os
import threading

import pytest

from app.domain.errors import StorageFull
from app.storage.base import End
from app.storage.traces import FileTraces

FIRST, NONE = "token 0", End(0, 0)


@pytest.fixture
def traces(tmp_path):
    return FileTraces(tmp_path / "traces")


def add(traces, data, attempt=FIRST, counted=NONE, moment=10.0):
    with traces.hold(7, attempt, counted) as held:
        held.append(data, moment)
    return held.end


def test_a_trace_grows_and_its_end_is_noted_for_one_attempt(traces):
    assert (traces.size(7), traces.open(7), traces.end(7, FIRST)) == (0, None, None)
    assert add(traces, b"hello ") == End.of(b"hello ")
    assert add(traces, b"world") == traces.end(7, FIRST) == End.of(b"hello world")
    traces.sync(7)
    with traces.open(7) as file:
        assert file.read() == b"hello world"
    assert traces.end(7, "token 1") is None
    assert add(traces, b"anew", "token 1") == End.of(b"anew")
    assert (traces.path(7).read_bytes(), traces.end(7, FIRST)) == (b"anew", None)
    traces.remove(7)
    traces.remove(7)
    traces.sync(7)
    assert (traces.size(7), list(traces.path(7).parent.iterdir())) == (0, [])


def test_what_a_crash_left_is_mended_by_the_next_who_adds(traces):
    add(traces, b"hello world")
    with traces.path(7).open("ab") as log:
        log.write(b" that nobody noted")
    assert add(traces, b"!") == End.of(b"hello world!")
    os.truncate(traces.path(7), 5)
    assert add(traces, b"!") == traces.end(7, FIRST) == End.of(b"hello!")
    assert traces.path(7).read_bytes() == b"hello!"


@pytest.mark.parametrize("left", [0, 20, 48], ids=["nothing", "half", "nonsense"])
def test_an_end_that_was_lost_with_the_power_is_that_of_the_row(traces, left):
    add(traces, b"hello world")
    record = traces.times(7).read_bytes()
    traces.times(7).write_bytes(record[: left - 1] + b"\0" * (left > 20) if left else b"")
    assert traces.end(7, FIRST) is None
    assert add(traces, b"!", counted=End.of(b"hello")) == End.of(b"hello!")


def test_who_reads_an_end_while_it_is_written_reads_it_again(traces, monkeypatch):
    add(traces, b"hello ")
    before, read = traces.times(7).read_bytes()[:48], os.pread
    add(traces, b"world")
    torn = [lambda now: before[:28] + now[28:]]
    monkeypatch.setattr(os, "pread", lambda *given: torn.pop()(read(*given)) if torn else read(*given))
    assert (traces.end(7, FIRST), torn) == (End.of(b"hello world"), [])


def test_a_trace_begins_anew(traces):
    with traces.hold(7, FIRST, NONE) as held:
        held.append(b"hello", 10.0)
        held.restart()
        assert held.end == NONE
        held.append(b"whole", 20.0)
    assert (traces.path(7).read_bytes(), traces.marks(7)) == (b"whole", [(0, 20.0)])


def test_nobody_adds_to_a_trace_that_is_held(traces):
    others = threading.Thread(target=add, args=(traces, b"b"))
    with traces.hold(7, FIRST, NONE) as held:
        others.start()
        held.append(b"a", 10.0)
        assert traces.path(7).read_bytes() == b"a"
    others.join(5)
    assert traces.path(7).read_bytes() == b"ab"


@pytest.mark.parametrize("failing", [2, 3], ids=["in the bytes", "in the note"])
def test_a_trace_on_a_full_disk_keeps_the_end_it_had(traces, monkeypatch, failing):
    add(traces, b"hello")
    real, calls = os.pwrite, []

    def full(descriptor, data, offset):
        calls.append(offset)
        if len(calls) >= failing:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data[: 3 if len(calls) == 1 else None], offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(StorageFull):
            add(traces, b" world")
    assert calls[:2] == [5, 8]
    assert (traces.size(7), traces.end(7, FIRST)) == (5, End.of(b"hello"))
    assert add(traces, b"!") == End.of(b"hello!")


def test_a_folder_on_a_full_disk_is_said(traces, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(StorageFull):
        add(traces, b"hello")


def test_when_pieces_of_a_trace_came_is_kept_beside_it(traces):
    assert traces.marks(7) == []
    for data, moment in ((b"text", 10.0), (b"more!", 20.0), (b"end", 30.0)):
        add(traces, data, moment=moment)
    assert traces.marks(7) == [(0, 10.0), (4, 20.0), (9, 30.0)]
    with traces.times(7).open("ab") as file:
        file.write(b"half")  # a crash, or a full disk
    assert traces.marks(7) == [(0, 10.0), (4, 20.0), (9, 30.0)]
    add(traces, b"!", moment=40.0)
    assert traces.marks(7)[-1] == (12, 40.0)
    add(traces, b"anew", "token 1", moment=50.0)
    assert traces.marks(7) == [(0, 50.0)]


def test_a_log_that_comes_byte_by_byte_has_only_so_many_times(traces, monkeypatch):
    monkeypatch.setattr("app.storage.traces._MOST_MARKS", 3)
    for number in range(5):
        add(traces, b"x", moment=10.0 + number)
    assert traces.marks(7) == [(0, 10.0), (1, 11.0), (2, 12.0)]
    assert traces.end(7, FIRST) == End.of(b"xxxxx")
