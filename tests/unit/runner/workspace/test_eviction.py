"""Caches stay within what the administrator gives them."""

import fcntl
import os
from pathlib import Path

import pytest

from runner.workspace.base import CacheRef
from runner.workspace.eviction import DAY, CacheLimits, evict
from runner.workspace.local import LocalWorkspaces

NOW = 1_000_000_000.0


def archive(root: Path, name: str, days_ago: float, size: int = 100) -> Path:
    path = root / name.split("/")[0] / "caches" / name.split("/")[1] / "cache.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(size))
    os.utime(path, (NOW - days_ago * DAY,) * 2)
    return path


def objects(root: Path, project: str, days_ago: float) -> Path:
    repository = root / project / "git" / "bare.git"
    repository.mkdir(parents=True)
    (repository / "HEAD").write_text("x")
    lock = root / project / "lock"
    lock.touch()
    os.utime(lock, (NOW - days_ago * DAY,) * 2)
    return repository


def test_the_least_recently_used_go_until_the_rest_fits(tmp_path: Path) -> None:
    old, older, new = (archive(tmp_path, f"{name}/k", days) for name, days in (("1", 2), ("2", 3), ("3", 1)))
    evict(tmp_path, CacheLimits(size=250, age=0), NOW)
    assert [path.exists() for path in (new, old, older)] == [True, True, False]
    assert not older.parent.exists()


def test_a_cache_that_is_too_large_does_not_push_out_smaller_ones(tmp_path: Path) -> None:
    large, small = archive(tmp_path, "1/large", 0, size=1000), archive(tmp_path, "1/small", 5)
    evict(tmp_path, CacheLimits(size=500, age=0), NOW)
    assert (large.exists(), small.exists()) == (False, True)


def test_what_nobody_used_for_long_goes_however_small(tmp_path: Path) -> None:
    kept, gone = archive(tmp_path, "1/a", 29), archive(tmp_path, "1/b", 31)
    evict(tmp_path, CacheLimits(size=0, age=30 * DAY), NOW)
    assert (kept.exists(), gone.exists()) == (True, False)


def test_the_objects_of_a_sleeping_project_go_and_those_in_use_stay(tmp_path: Path) -> None:
    asleep, awake, locked = (objects(tmp_path, name, days) for name, days in (("1", 31), ("2", 1), ("3", 31)))
    with (tmp_path / "3" / "lock").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        evict(tmp_path, CacheLimits(age=30 * DAY), NOW)
    assert [path.exists() for path in (asleep, awake, locked)] == [False, True, True]
    assert (tmp_path / "1" / "git").is_dir(), "the folder itself may be mounted into a job"


@pytest.mark.parametrize("limits", [CacheLimits(0, 0), CacheLimits()])
def test_without_a_reason_everything_stays(tmp_path: Path, limits: CacheLimits) -> None:
    kept, repository = archive(tmp_path, "1/a", 1), objects(tmp_path, "1", 1)
    evict(tmp_path, limits, NOW)
    assert kept.exists()
    assert repository.exists()


def test_a_missing_folder_is_no_error(tmp_path: Path) -> None:
    evict(tmp_path / "absent", CacheLimits(), NOW)


def test_saving_a_cache_makes_room_in_the_background(tmp_path: Path) -> None:
    workspaces = LocalWorkspaces(tmp_path / "root", tmp_path / "caches", cache_limits=CacheLimits(size=1500, age=0))
    for number in range(3):
        workspace = workspaces.create(number, 1, "g/p", 0)
        (workspace.path / "file").write_bytes(os.urandom(1000))
        workspace.save_cache(CacheRef("1", (f"key-{number}",), ("file",)), lambda _: None)
        path = tmp_path / "caches" / "1" / "caches" / f"key-{number}" / "cache.zip"
        os.utime(path, (NOW + number, NOW + number))
    workspaces.evict(at_once=True)
    workspaces.settle()
    assert [path.parent.name for path in (tmp_path / "caches").rglob("cache.zip")] == ["key-2"]
    workspaces.close()
