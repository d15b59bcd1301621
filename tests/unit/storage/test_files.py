"""Traces and artifacts as files: whole or not at all, whatever the disk says."""

import errno
import hashlib
import os
import time

import pytest

from app.domain.errors import LimitExceeded, StorageFull
from app.storage.files import FileBlobs, FileTraces, _IncomingFile


@pytest.fixture
def blobs(tmp_path):
    return FileBlobs(tmp_path / "artifacts")


@pytest.fixture
def traces(tmp_path):
    return FileTraces(tmp_path / "traces")


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def receive(blobs, data, limit=1000):
    with blobs.receive(limit) as incoming:
        incoming.write(data)
        return incoming.keep()


def test_what_was_kept_can_be_read_and_removed(blobs, tmp_path):
    stored = receive(blobs, b"hello")
    assert (stored.size, stored.sha256) == (5, hashlib.sha256(b"hello").hexdigest())
    with blobs.open(stored.key) as file:
        assert file.read() == b"hello"
    assert blobs.path(stored.key).read_bytes() == b"hello"
    blobs.remove(stored.key)
    blobs.remove(stored.key)
    with pytest.raises(FileNotFoundError):
        blobs.open(stored.key)
    assert files(tmp_path) == []


def test_what_was_not_kept_leaves_nothing(blobs, tmp_path):
    with blobs.receive(1000) as incoming:
        incoming.write(b"hello")
    with pytest.raises(RuntimeError), blobs.receive(1000) as incoming:
        incoming.write(b"hello")
        raise RuntimeError
    assert files(tmp_path) == []


def test_the_limit_holds_to_the_byte(blobs, tmp_path):
    assert receive(blobs, b"x" * 10, limit=10).size == 10
    with pytest.raises(LimitExceeded), blobs.receive(10) as incoming:
        incoming.write(b"x" * 10)
        incoming.write(b"x")
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_and_leaves_nothing(blobs, tmp_path, monkeypatch, number):
    def full(*_):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(_IncomingFile, "_write_all", full)
        with pytest.raises(StorageFull), blobs.receive(100) as incoming:
            incoming.write(b"x")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageFull), blobs.receive(100) as incoming:
            incoming.write(b"x")
            incoming.keep()
    assert files(tmp_path) == []


def test_unfinished_uploads_of_a_killed_server_are_swept(blobs, tmp_path):
    incoming = blobs.receive(100)
    incoming.__enter__().write(b"x")
    assert blobs.sweep(older_than=time.time() - 60) == 0
    assert blobs.sweep(older_than=time.time() + 60) == 1
    assert files(tmp_path) == []
    incoming.__exit__(None, None, None)


def test_a_trace_grows_and_is_cut(traces):
    assert (traces.size(7), traces.open(7)) == (0, None)
    assert traces.append(7, 0, b"hello ") == 6
    assert traces.append(7, 6, b"world") == 11
    traces.truncate(7, 5)
    assert traces.size(7) == 5
    assert traces.append(7, 5, b"!") == 6
    with traces.open(7) as file:
        assert file.read() == b"hello!"
    assert traces.path(7).read_bytes() == b"hello!"
    traces.remove(7)
    traces.remove(7)
    traces.truncate(7, 0)
    assert traces.size(7) == 0


def test_a_trace_on_a_full_disk_keeps_the_size_it_had(traces, monkeypatch):
    traces.append(7, 0, b"hello")
    real, calls = os.pwrite, []

    def half(descriptor, data, offset):
        calls.append(offset)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data[:3], offset)

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(StorageFull):
        traces.append(7, 5, b" world")
    assert calls == [5, 8]
    assert traces.size(7) == 5


def test_when_pieces_of_a_trace_came_is_kept_beside_it_and_goes_with_it(tmp_path):
    traces = FileTraces(tmp_path)
    assert traces.marks(7) == []
    traces.append(7, 0, b"text")
    for offset, moment in ((0, 10.0), (4, 20.0), (9, 30.0)):
        traces.mark(7, offset, moment)
    assert traces.marks(7) == [(0, 10.0), (4, 20.0), (9, 30.0)]
    traces.mark(7, 4, 40.0)  # the log was cut, and goes on from there
    assert traces.marks(7) == [(0, 10.0), (4, 40.0)]
    with traces.path(7).with_suffix(".times").open("ab") as file:
        file.write(b"half")  # a crash, or a full disk
    assert traces.marks(7) == [(0, 10.0), (4, 40.0)]
    traces.remove(7)
    assert list(traces.path(7).parent.iterdir()) == []


def test_a_log_that_comes_byte_by_byte_has_only_so_many_times(tmp_path, monkeypatch):
    monkeypatch.setattr("app.storage.files._MOST_MARKS", 3)
    traces = FileTraces(tmp_path)
    traces.append(7, 0, b"text")
    for offset in range(5):
        traces.mark(7, offset, 10.0 + offset)
    assert traces.marks(7) == [(0, 10.0), (1, 11.0), (2, 12.0)]


def test_a_time_that_cannot_be_noted_stops_nothing(tmp_path):
    FileTraces(tmp_path / "nowhere").mark(7, 0, 10.0)
