"""What caches may take of the disk: the least recently used go first, in the background.

The last use of a cache is its archive's modification time (`caches` sets it when one is restored), that of a project's
object cache the time of its `lock`, which every fetch opens for writing.
"""

import contextlib
import fcntl
import logging
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.workspace.caches import VERSION

logger = logging.getLogger(__name__)

DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """`size` bounds all caches of a runner together, in bytes; `age` is the time in seconds after which one that
    nobody used goes, and with it a project's object cache. 0 is no limit.
    """

    size: int = 10 << 30
    age: float = 30 * DAY


@dataclass(frozen=True, slots=True)
class _Archive:
    path: Path
    size: int
    used: float


def evict(root: Path, limits: CacheLimits, now: float | None = None) -> None:
    """Remove below CACHE_ROOT what is too old, then what was not used for longest until the rest fits.

    A job that restores a cache meanwhile goes on: it has the file open. Never raises OSError.
    """
    now = time.time() if now is None else now
    kept = sorted(_archives(root), key=lambda archive: archive.used, reverse=True)
    total = 0
    for archive in kept:
        total += archive.size
        if (limits.age and archive.used < now - limits.age) or (limits.size and total > limits.size):
            total -= archive.size
            _remove_archive(archive)
    if limits.age:
        for project in _folders(root):
            _remove_objects(project, now - limits.age)


def _archives(root: Path) -> Iterator[_Archive]:
    for project in _folders(root):
        for path in (project / "caches").glob("*/cache.zip"):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                yield _Archive(path, status.st_size, status.st_mtime)


def _folders(root: Path) -> list[Path]:
    try:
        return [path for path in root.iterdir() if path.is_dir() and not path.is_symlink()]
    except OSError as error:
        logger.warning("the caches in %s cannot be looked at: %s", root, error)
        return []


def _remove_archive(archive: _Archive) -> None:
    with contextlib.suppress(FileNotFoundError):
        archive.path.unlink()
        archive.path.with_name(VERSION).unlink(missing_ok=True)
        logger.info("cache %s of %s bytes removed", archive.path.parent, archive.size)
    with contextlib.suppress(OSError):  # a job is saving a new one
        archive.path.parent.rmdir()


def _remove_objects(project: Path, before: float) -> None:
    """Remove the repository of a project whose last fetch was `before` a time, unless somebody uses it this moment."""
    lock = project / "lock"
    with contextlib.suppress(OSError):
        if lock.stat().st_mtime >= before:
            return
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for entry in (project / "git").iterdir():
                shutil.rmtree(entry, ignore_errors=True)
            logger.info("object cache %s removed, unused for long", project)
        finally:
            os.close(descriptor)
