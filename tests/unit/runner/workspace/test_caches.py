"""Caches on the runner's disk."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.workspace.base import CacheRef
from runner.workspace.caches import segment
from runner.workspace.local import LocalWorkspace, LocalWorkspaces


@pytest.fixture
def workspaces(tmp_path: Path) -> LocalWorkspaces:
    return LocalWorkspaces(tmp_path / "root", tmp_path / "caches")


def saved(workspaces: LocalWorkspaces, key: str, content: str = "x", **fields: object) -> tuple[LocalWorkspace, str]:
    workspace = workspaces.create(1, 1, "g/p", 0)
    (workspace.path / "deps").mkdir()
    (workspace.path / "deps" / "lib").write_text(content)
    output = bytearray()
    workspace.save_cache(CacheRef("1", (key,), ("deps/",), **fields), output.extend)  # type: ignore[arg-type]
    return workspace, output.decode()


def restored(workspaces: LocalWorkspaces, project: str, *keys: str) -> tuple[str | None, str]:
    workspace = workspaces.create(2, 1, "g/p", 0)
    output = bytearray()
    found = workspace.restore_cache(CacheRef(project, keys), output.extend)
    file = workspace.path / "deps" / "lib"
    assert found == file.exists()
    return file.read_text() if found else None, output.decode()


def test_a_cache_comes_back_under_its_key_alone(workspaces: LocalWorkspaces) -> None:
    _, said = saved(workspaces, "main-protected")
    assert said.splitlines()[-1] == "Created cache"
    assert restored(workspaces, "1", "main-protected")[0] == "x"
    assert restored(workspaces, "1", "main-non_protected")[0] is None
    assert restored(workspaces, "2", "main-protected")[0] is None


def test_fallback_keys_are_tried_in_order(workspaces: LocalWorkspaces) -> None:
    saved(workspaces, "second", "2")
    saved(workspaces, "third", "3")
    content, said = restored(workspaces, "1", "first", "second", "third")
    assert content == "2"
    assert said.splitlines() == [
        "Checking cache for first...",
        "WARNING: Cache file does not exist",
        "Checking cache for second...",
        "Successfully extracted cache",
    ]


def test_a_cache_is_replaced(workspaces: LocalWorkspaces) -> None:
    saved(workspaces, "key", "old")
    saved(workspaces, "key", "new")
    assert restored(workspaces, "1", "key")[0] == "new"


def test_a_damaged_cache_is_a_warning(workspaces: LocalWorkspaces, tmp_path: Path) -> None:
    saved(workspaces, "key")
    next((tmp_path / "caches").rglob("cache.zip")).write_bytes(b"PK\x03\x04 but no zip")
    content, said = restored(workspaces, "1", "key")
    assert content is None
    assert "WARNING: Failed to extract cache" in said


def test_a_cache_that_finds_nothing_keeps_the_old_one(workspaces: LocalWorkspaces) -> None:
    saved(workspaces, "key", "old")
    output = bytearray()
    workspaces.create(3, 1, "g/p", 0).save_cache(CacheRef("1", ("key",), ("deps/",)), output.extend)
    assert b"No files to cache" in output
    assert restored(workspaces, "1", "key")[0] == "old"


def test_a_cache_over_the_limit_is_not_kept(workspaces: LocalWorkspaces) -> None:
    _, said = saved(workspaces, "key", limits={"size": 10})
    assert "larger than 10 bytes" in said
    assert restored(workspaces, "1", "key")[0] is None


def test_untracked_without_sources_is_everything(workspaces: LocalWorkspaces) -> None:
    workspace = workspaces.create(1, 1, "g/p", 0)
    (workspace.path / "deps").mkdir()
    (workspace.path / "deps" / "lib").write_text("x")
    workspace.save_cache(CacheRef("1", ("key",), untracked=True), lambda _: None)
    assert restored(workspaces, "1", "key")[0] == "x"


@given(st.text(max_size=400), st.text(max_size=400))
def test_keys_become_safe_segments_and_never_the_same_one(first: str, second: str) -> None:
    name = segment(first)
    assert name not in ("", ".", "..")
    assert "/" not in name
    assert len(name) <= 200
    assert (segment(second) == name) == (first == second)
