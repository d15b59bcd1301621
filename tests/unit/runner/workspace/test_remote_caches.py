"""Caches in object storage, against a real S3 server (moto) over HTTP."""

import contextlib
import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.config import CacheTable, S3Table
from runner.workspace.base import CacheRef
from runner.workspace.caches import Caches
from runner.workspace.eviction import CacheLimits, evict
from runner.workspace.local import LocalWorkspaces
from runner.workspace.remote_caches import RemoteCacheError, S3Caches, object_name
from runner.workspace.userns import InProcess
from tests.support.object_store import ACCESS, SECRET, ObjectStore, object_store


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store() as made:
        yield made


@pytest.fixture
def table(store: ObjectStore) -> CacheTable:
    """A fresh bucket of the store."""
    bucket = f"b{len(store.client.list_buckets()['Buckets'])}-caches"
    store.make_bucket(bucket)
    place = f"{store.host}:{store.port}"
    s3 = S3Table(place, ACCESS, SECRET, bucket, "us-east-1", insecure=True, path_style=True)
    return CacheTable("s3", "some/where", s3=s3)


@pytest.fixture
def hosts(tmp_path: Path, table: CacheTable) -> Iterator[list[LocalWorkspaces]]:
    """Two runners on hosts of their own, with one token."""
    made = []
    for name in ("one", "two"):
        root = tmp_path / name
        caches = Caches(
            root / "caches", InProcess(), S3Caches(table), lambda project, key: object_name(table, "tok", project, key)
        )
        made.append(LocalWorkspaces(root / "root", root / "caches", caches=caches))
    yield made
    for host in made:
        host.close()


def save(host: LocalWorkspaces, key: str, content: str, **fields: object) -> str:
    workspace = host.create(1, 1, "g/p", 0)
    (workspace.path / "lib").write_text(content)
    output = bytearray()
    workspace.save_cache(CacheRef("1", (key,), ("lib",), **fields), output.extend)  # type: ignore[arg-type]
    return output.decode()


def restore(host: LocalWorkspaces, *keys: str, **fields: object) -> tuple[str | None, str]:
    workspace = host.create(2, 1, "g/p", 0)
    output = bytearray()
    found = workspace.restore_cache(CacheRef("1", keys, **fields), output.extend)  # type: ignore[arg-type]
    return (workspace.path / "lib").read_text() if found else None, output.decode()


def test_what_one_host_saves_another_restores(
    store: ObjectStore, table: CacheTable, hosts: list[LocalWorkspaces]
) -> None:
    assert "Uploaded cache" in save(hosts[0], "main-protected", "x")
    assert list(store.objects(table.s3.bucket_name)) == ["some/where/runner/tok/project/1/main-protected"]
    content, said = restore(hosts[1], "main-protected")
    assert (content, "Downloaded cache" in said) == ("x", True)
    assert restore(hosts[1], "main-non_protected")[0] is None


def test_an_unchanged_cache_is_not_fetched_again_and_a_newer_one_is(hosts: list[LocalWorkspaces]) -> None:
    save(hosts[0], "k", "old")
    restore(hosts[1], "k")
    content, said = restore(hosts[1], "k")
    assert (content, "up to date" in said, "Downloaded" in said) == ("old", True, False)
    assert "up to date" in restore(hosts[0], "k")[1]
    save(hosts[0], "k", "new")
    assert restore(hosts[1], "k")[0] == "new"


def test_fallback_keys_are_asked_of_the_store(hosts: list[LocalWorkspaces]) -> None:
    save(hosts[0], "second", "2")
    content, said = restore(hosts[1], "first", "second")
    assert content == "2"
    assert said.splitlines()[:2] == ["Checking cache for first...", "WARNING: Cache file does not exist"]


def test_what_the_store_has_lost_is_not_there(
    store: ObjectStore, table: CacheTable, hosts: list[LocalWorkspaces]
) -> None:
    save(hosts[0], "k", "x")
    store.client.delete_object(Bucket=table.s3.bucket_name, Key="some/where/runner/tok/project/1/k")
    assert restore(hosts[0], "k")[0] is None
    assert restore(hosts[0], "k")[0] is None


def test_large_caches_go_up_in_parts(hosts: list[LocalWorkspaces], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.workspace.remote_caches.PART", 5 << 20)
    content = random.Random(1).randbytes(6 << 20).hex()
    assert "Uploaded cache" in save(hosts[0], "k", content)
    assert restore(hosts[1], "k")[0] == content


def test_a_store_that_is_away_costs_a_warning_and_the_disk_helps(
    table: CacheTable, hosts: list[LocalWorkspaces], tmp_path: Path
) -> None:
    save(hosts[0], "k", "x")
    gone = S3Caches(replace(table, s3=replace(table.s3, server_address="127.0.0.1:9")))
    caches = Caches(tmp_path / "one" / "caches", InProcess(), gone, lambda project, key: f"{project}/{key}")
    away = LocalWorkspaces(tmp_path / "away", tmp_path / "one" / "caches", caches=caches)
    with contextlib.closing(away):
        content, said = restore(away, "k")
        assert (content, "WARNING: Failed to download cache" in said) == ("x", True)
        said = save(away, "k", "y")
        assert "WARNING: Failed to upload cache" in said
        assert SECRET not in said
        assert restore(away, "k")[0] == "y"


def test_a_refusal_is_an_error_without_the_secret(table: CacheTable, tmp_path: Path) -> None:
    caches = S3Caches(replace(table, s3=replace(table.s3, bucket_name="no-such-bucket")))
    (tmp_path / "file").write_text("x")
    with contextlib.closing(caches), pytest.raises(RemoteCacheError, match="NoSuchBucket") as caught:
        caches.keep("k", tmp_path / "file", lambda: True)
    assert SECRET not in str(caught.value)


def test_a_canceled_job_ends_its_transfers(hosts: list[LocalWorkspaces]) -> None:
    save(hosts[0], "k", "x")
    cancelled = threading.Event()
    cancelled.set()
    content, said = restore(hosts[1], "k", cancelled=cancelled)
    assert (content, "the time is up" in said) == (None, True)
    assert "WARNING: Failed to upload cache" in save(hosts[0], "k", "y", cancelled=cancelled)


def test_a_transfer_that_takes_too_long_is_ended(hosts: list[LocalWorkspaces]) -> None:
    save(hosts[0], "k", "x")
    assert "the time is up" in restore(hosts[1], "k", timeout=0.0)[1]


def test_an_evicted_cache_leaves_nothing_and_is_fetched_anew(hosts: list[LocalWorkspaces], tmp_path: Path) -> None:
    save(hosts[0], "k", "x")
    evict(tmp_path / "one" / "caches", CacheLimits(size=1, age=0))
    assert list((tmp_path / "one" / "caches" / "1" / "caches").iterdir()) == []
    content, said = restore(hosts[0], "k")
    assert (content, "Downloaded" in said) == ("x", True)


@pytest.mark.parametrize(
    ("path", "shared", "name"),
    [("", False, "runner/tok/project/1/k"), ("", True, "project/1/k"), ("/a/b/", True, "a/b/project/1/k")],
)
def test_names_of_objects(path: str, shared: bool, name: str) -> None:
    assert object_name(CacheTable("s3", path, shared), "tok", "1", "k") == name
