"""Artifacts as files: whole or not at all, whatever the disk says."""

import errno
import hashlib
import os
import time

import pytest

from app.domain.errors import LimitExceeded, StorageFull
from app.storage.files import FileBlobs, _IncomingFile


@pytest.fixture
def blobs(tmp_path):
    return FileBlobs(tmp_path / "artifacts")


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
