"""Files of pushed runs in a bucket: keys, names, what is refused. The store is an S3 server of its own."""

import itertools
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.archives import PART, ArchiveError, Archives, Store, read_store
from runner.workspace.local import LocalWorkspace, LocalWorkspaces
from tests.support.object_store import ACCESS, SECRET, ObjectStore, object_store

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def shared_store() -> Iterator[ObjectStore]:
    with object_store() as store:
        yield store


@pytest.fixture
def bucket(shared_store: ObjectStore) -> str:
    name = f"bucket-{next(_numbers)}"
    shared_store.make_bucket(name)
    return name


@pytest.fixture
def archives(shared_store: ObjectStore, bucket: str) -> Archives:
    store = read_store(shared_store.environment(bucket))
    assert store
    return Archives(store)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[LocalWorkspace]:
    workspaces = LocalWorkspaces(tmp_path / "root", tmp_path / "caches")
    yield workspaces.create(1, 1, "runs/1", 0)
    workspaces.close()


def fill(workspace: LocalWorkspace, **files: bytes) -> None:
    (workspace.path / "dist").mkdir()
    for name, content in files.items():
        (workspace.path / "dist" / name).write_bytes(content)


def test_files_are_kept_under_their_last_names(
    archives: Archives, shared_store: ObjectStore, bucket: str, workspace: LocalWorkspace
) -> None:
    fill(workspace, one=b"1", two=b"")
    (workspace.path / "a ü*.txt").write_bytes(b"3")
    names = archives.keep("12345", ["dist/one", "dist", "./dist/two", ".", "a ü*.txt"], workspace, threading.Event())
    assert names == ["one", "two", "a ü*.txt"]
    assert shared_store.objects(bucket) == {"12345/one": b"1", "12345/two": b"", "12345/a ü*.txt": b"3"}


def test_of_files_with_one_name_the_last_is_kept_and_named_once(
    archives: Archives, shared_store: ObjectStore, bucket: str, workspace: LocalWorkspace
) -> None:
    fill(workspace, one=b"first")
    (workspace.path / "one").write_bytes(b"last")
    assert archives.keep("1", ["dist/one", "one"], workspace, threading.Event()) == ["one"]
    assert shared_store.objects(bucket) == {"1/one": b"last"}


def test_a_file_of_several_parts_arrives_whole(
    archives: Archives, shared_store: ObjectStore, bucket: str, workspace: LocalWorkspace
) -> None:
    content = os.urandom(1024) * (PART // 1024 * 2 + 5)
    fill(workspace, large=content)
    archives.keep("1", ["dist/large"], workspace, threading.Event())
    assert shared_store.objects(bucket)["1/large"] == content


@pytest.mark.parametrize("path", ["absent", "dist/link", "etc/passwd", "../private", "/etc/passwd", "dist/pipe"])
def test_a_run_that_lacks_a_file_keeps_none(
    path: str, archives: Archives, shared_store: ObjectStore, bucket: str, workspace: LocalWorkspace
) -> None:
    fill(workspace, one=b"1")
    (workspace.path / "dist" / "link").symlink_to("/etc/passwd")
    (workspace.path / "etc").symlink_to("/etc")
    os.mkfifo(workspace.path / "dist" / "pipe")
    with pytest.raises(ArchiveError):
        archives.keep("1", ["dist/one", path], workspace, threading.Event())
    assert shared_store.objects(bucket) == {}


def test_a_bucket_that_is_not_there_is_an_error_that_says_so(
    shared_store: ObjectStore, workspace: LocalWorkspace
) -> None:
    fill(workspace, one=b"1")
    store = read_store(shared_store.environment("no-such-bucket"))
    assert store
    with pytest.raises(ArchiveError, match=r"1/one could not be kept: .*NoSuchBucket") as raised:
        Archives(store).keep("1", ["dist/one"], workspace, threading.Event())
    assert SECRET not in str(raised.value)


def test_a_run_that_is_stopped_sends_no_more(
    archives: Archives, shared_store: ObjectStore, bucket: str, workspace: LocalWorkspace
) -> None:
    fill(workspace, one=b"1")
    stop = threading.Event()
    stop.set()
    with pytest.raises(ArchiveError, match="stopped"):
        archives.keep("1", ["dist/one"], workspace, stop)
    assert shared_store.objects(bucket) == {}


def test_without_both_credentials_nothing_is_kept(tmp_path: Path) -> None:
    assert read_store({}) is None
    assert read_store({"S3_BUCKET": "candor", "S3_ENDPOINT": "s3.example.org"}) is None


def test_a_store_is_read_from_the_settings(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    given = {"S3_ACCESS": ACCESS, "S3_SECRET_FILE": str(tmp_path / "secret")}
    assert read_store(given) == Store(ACCESS, SECRET, "candor", "us-east-1", "")
    host = {"S3_ENDPOINT": "s3.example.org", "S3_REGION": "eu", "S3_BUCKET": "kept"}
    assert read_store(given | host) == Store(ACCESS, SECRET, "kept", "eu", "https://s3.example.org")
    plain = {"S3_ENDPOINT": "127.0.0.1", "S3_PORT": "9000", "S3_SSL": "false"}
    store = read_store(given | plain)
    assert store
    assert store.endpoint == "http://127.0.0.1:9000"
    assert SECRET not in repr(store)


@pytest.mark.parametrize(
    ("name", "value"),
    [("S3_SSL", "maybe"), ("S3_PORT", "x"), ("S3_PORT", "0"), ("S3_PORT", "70000"), ("S3_ENDPOINT", "http://a"),
     ("S3_ENDPOINT", "a/b"), ("S3_ENDPOINT", "a:1"), ("S3_SECRET", ""), ("S3_ACCESS", "")],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused_by_name(name: str, value: str) -> None:
    given = {"S3_ACCESS": ACCESS, "S3_SECRET": SECRET, "S3_ENDPOINT": "a"}
    with pytest.raises(ValueError, match=name):
        read_store(given | {name: value})
