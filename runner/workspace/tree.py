"""Walking a tree that a job has touched: by descriptor, following no link, with bounds.

Paths are relative, with slashes; names that are not UTF-8 come as surrogates, as everywhere in Python.
"""

import itertools
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from runner.workspace.globs import Glob

DEEPEST = 200
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
REGULAR = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

State = frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, folder or link of the tree."""

    path: str
    status: os.stat_result

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.status.st_mode)

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.status.st_mode)


class Finder:
    """Finds what globs match, less what is excluded."""

    def __init__(self, root: int, exclude: Sequence[Glob] = ()) -> None:
        self._root = root
        self._exclude = exclude

    def find(self, glob: Glob) -> Iterator[Entry]:
        """Everything that `glob` matches; of a matched folder, also everything in it."""
        start = glob.start()
        excluded = [other.start() for other in self._exclude]
        yield from self._walk(os.dup(self._root), "", glob, start, glob.accepts(start), excluded, 0)

    def _walk(
        self, folder: int, prefix: str, glob: Glob, state: State, inside: bool, excluded: Sequence[State], depth: int
    ) -> Iterator[Entry]:
        """What matches in the open `folder`, which is closed at the end. `inside`: a folder above has matched."""
        try:
            for name in sorted(os.listdir(folder)):
                after = glob.step(state, name)
                matched = inside or glob.accepts(after)
                if not matched and not after:
                    continue
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                entry = Entry(prefix + name, status)
                out = [other.step(place, name) for other, place in zip(self._exclude, excluded, strict=True)]
                left_out = any(other.accepts(place) for other, place in zip(self._exclude, out, strict=True))
                if matched and not left_out:
                    yield entry
                if entry.is_folder and depth < DEEPEST:
                    below = os.open(name, DIRECTORY, dir_fd=folder)
                    yield from self._walk(below, f"{entry.path}/", glob, after, matched, out, depth + 1)
        finally:
            os.close(folder)


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[int]:
    """A descriptor of the folder at `path`, whose last part may not be a link."""
    descriptor = os.open(path, DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def parent_of(root: int, path: str, make: bool = False) -> Iterator[tuple[int, str]]:
    """(descriptor of the folder that `path` is in, last name). No link is followed on the way.

    `make`: missing folders are made. Raises OSError (ELOOP or ENOTDIR where a link or a file is in the way) and
    ValueError for a path that is absolute, empty or has `..` in it.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise ValueError(f"{path!r} is no path within the tree")
    folder = os.dup(root)
    try:
        for part in parts[:-1]:
            if make:
                make_folder(folder, part)
            below = os.open(part, DIRECTORY, dir_fd=folder)
            os.close(folder)
            folder = below
        yield folder, parts[-1]
    finally:
        os.close(folder)


def make_folder(parent: int, name: str) -> None:
    try:
        os.mkdir(name, 0o755, dir_fd=parent)
    except FileExistsError:
        return


def open_regular(root: int, path: str) -> int:
    """A descriptor of the regular file at `path`. Raises OSError for anything else."""
    with parent_of(root, path) as (folder, name):
        descriptor = os.open(name, REGULAR, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a regular file")
    return descriptor


def is_folder(root: int, path: str) -> bool:
    """Whether `path` is a folder, and no link to one. Raises OSError and ValueError as `parent_of`."""
    if PurePosixPath(path) == PurePosixPath("."):
        return True
    with parent_of(root, path) as (folder, name):
        return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def remove_own(root: Path, most: int) -> bool:
    """Remove the tree at `root`, if it has at most `most` entries and all of them can be removed by this user; False
    where something is left. Follows no link.
    """
    try:
        with opened(root) as folder:
            _remove_entries(folder, most)
        root.rmdir()
    except (OSError, _TooMuchError):
        return False
    return True


class _TooMuchError(Exception):
    """There are more entries than were allowed."""


def _remove_entries(folder: int, most: int) -> int:
    """Empty the open `folder`; returns how many entries may still be removed."""
    with os.scandir(folder) as entries:
        found = list(itertools.islice(entries, most + 1))
    left = most - len(found)
    if left < 0:
        raise _TooMuchError
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            below = os.open(entry.name, DIRECTORY, dir_fd=folder)
            try:
                left = _remove_entries(below, left)
            finally:
                os.close(below)
            os.rmdir(entry.name, dir_fd=folder)
        else:
            os.unlink(entry.name, dir_fd=folder)
    return left
