"""Workspaces on this host's disk.

    ROOT/jobs/JOB-XXXX/tree      what the job sees as its project folder
    ROOT/jobs/JOB-XXXX/control   scripts and file variables, which the job sees beside it
    ROOT/jobs/JOB-XXXX/private   what the job never sees: the copy of the index, packed files
    ROOT/trash/                  renamed there in an instant, removed in the background
    CACHE_ROOT/PROJECT/          object cache (`object_cache`) and caches (`caches`)

Every job begins with an empty tree. `GIT_STRATEGY: fetch` gives the same files as `clone`: it is the object cache that
makes both fast, and nothing of an earlier job can be left over, which is also why GIT_CLEAN_FLAGS has nothing to do.

Give each runner (each server, each token) a CACHE_ROOT of its own: project ids are unique on one server only.
"""

import base64
import contextlib
import logging
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from runner.executor.base import Cancelled, Output
from runner.workspace.base import CacheRef, Packed, Selection, Sources, WorkspaceError
from runner.workspace.caches import Caches
from runner.workspace.eviction import CacheLimits, evict
from runner.workspace.git import Git
from runner.workspace.object_cache import ObjectCache
from runner.workspace.sources import MOUNT, get_sources
from runner.workspace.tree import remove_own
from runner.workspace.userns import Helper, HelperError, InProcess

EXTENSIONS = {"zip": ".zip", "gzip": ".gz", "raw": ""}
UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]")
LONGEST_NAME = 200
EVICTION_SECONDS = 3600.0
SMALL_TREE = 100

logger = logging.getLogger(__name__)


class LocalWorkspaces:
    """See `workspace.base.Workspaces`. `helper` works inside the user namespace (`PodmanExecutor.helper`); None does
    the work right here, for executors whose jobs run as the runner's own user. `git_settings` are more settings for
    git, `cache_limits` bound what the caches take; `caches` of the same root, where they are kept elsewhere too.
    """

    def __init__(
        self,
        root: Path,
        cache_root: Path,
        helper: Helper | None = None,
        git_settings: Mapping[str, str] | None = None,
        cache_limits: CacheLimits | None = None,
        caches: Caches | None = None,
    ) -> None:
        self.root = root
        self.cache_root = cache_root
        self.helper = helper or InProcess()
        self.git_settings = dict(git_settings or {})
        for folder in (root, root / "jobs", root / "trash", cache_root):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.cache_limits = cache_limits or CacheLimits()
        self.caches = caches or Caches(cache_root, self.helper)
        self._background = ThreadPoolExecutor(1, "workspace-removal")
        self._closing = threading.Event()
        self._evicted = 0.0

    def create(self, job_id: int, project_id: int, project_path: str, slot: int) -> "LocalWorkspace":
        """See `workspace.base.Workspaces.create`."""
        folder = self.root / "jobs" / f"{job_id}-{secrets.token_hex(4)}"
        try:
            for name in ("tree", "control", "private"):
                (folder / name).mkdir(parents=True)
            (folder / "private").chmod(0o700)
            cache = ObjectCache(self.cache_root, str(int(project_id)))
        except OSError as error:
            raise WorkspaceError(f"The workspace cannot be made: {error}") from error
        logger.debug("workspace %s for job %s of %s in slot %s", folder.name, job_id, project_path, slot)
        return LocalWorkspace(self, folder, job_id, cache)

    def remove_orphans(self) -> None:
        """See `workspace.base.Workspaces.remove_orphans`. Call it before the first job and after its containers are
        gone.
        """
        for folder in (self.root / "jobs").iterdir():
            self.discard(folder)
        for leftover in (self.root / "trash").iterdir():
            self._background.submit(self._remove, leftover)

    def discard(self, folder: Path) -> None:
        """Move `folder` out of the way now, remove it behind the caller's back."""
        aside = self.root / "trash" / f"{folder.name}-{secrets.token_hex(4)}"
        try:
            folder.rename(aside)
            self._background.submit(self._remove, aside)
        except FileNotFoundError:
            return
        except (OSError, RuntimeError) as error:
            logger.warning("the workspace %s cannot be removed: %s", folder, error)

    def tidy(self, git: Git, cache: ObjectCache) -> None:
        """Tidy `cache` when nothing else waits."""
        self._later(lambda: cache.tidy(git))

    def evict(self, at_once: bool = False) -> None:
        """Hold the caches to their limits when nothing else waits; `at_once` False: once in a while."""
        now = time.monotonic()
        if at_once or now - self._evicted > EVICTION_SECONDS:
            self._evicted = now
            self._later(lambda: evict(self.cache_root, self.cache_limits))

    def close(self) -> None:
        """See `workspace.base.Workspaces.close`. What a crash leaves is removed by the next `remove_orphans`."""
        self._closing.set()
        self._background.shutdown(wait=True)
        self.caches.close()

    def settle(self) -> None:
        """Wait until everything that goes on in the background so far is done."""
        self._background.submit(lambda: None).result()

    def _later(self, work: Callable[[], None]) -> None:
        def unless_closing() -> None:
            if not self._closing.is_set():
                work()

        with contextlib.suppress(RuntimeError):  # closing
            self._background.submit(unless_closing)

    def _remove(self, folder: Path) -> None:
        # What a short job leaves is done here before the helper would have started `rm`.
        if remove_own(folder, SMALL_TREE):
            return
        try:
            self.helper.call("remove", {"paths": [str(folder)]})
        except HelperError as error:
            logger.warning("%s cannot be removed: %s", folder, error)


class LocalWorkspace:
    """See `workspace.base.Workspace`. Made by `LocalWorkspaces.create`."""

    def __init__(self, owner: LocalWorkspaces, folder: Path, job_id: int, cache: ObjectCache) -> None:
        self.path = folder / "tree"
        self.control = folder / "control"
        self.read_only_mounts: Mapping[Path, str] = {cache.folder: MOUNT}
        self._owner = owner
        self._folder = folder
        self._private = folder / "private"
        self._job_id = job_id
        self._cache = cache
        self._caches = owner.caches

    def get_sources(self, sources: Sources, output: Output, cancelled: Cancelled) -> None:
        """See `workspace.base.Workspace.get_sources`."""
        if sources.strategy in ("none", "empty"):
            output(f"Skipping Git repository setup (strategy {sources.strategy})\n".encode())
            return
        index = self._private / "index"
        settings = self._owner.git_settings
        try:
            self._clear()
            get_sources(sources, self.path, index, self._cache, str(self._job_id), output, cancelled, settings)
        except OSError as error:
            raise WorkspaceError(f"The sources cannot be written: {error}") from error
        self._owner.evict()
        self._owner.tidy(Git(lambda _: None, threading.Event()), self._cache)

    def unpack(self, archive: Path, output: Output) -> None:
        """See `workspace.base.Workspace.unpack`."""
        try:
            self._owner.helper.call("unpack", {"root": str(self.path), "archive": str(archive)}, output)
        except HelperError as error:
            raise WorkspaceError(f"The artifacts cannot be unpacked: {error}") from error

    def restore_cache(self, cache: CacheRef, output: Output) -> bool:
        """See `workspace.base.Workspace.restore_cache`."""
        return self._caches.restore(cache, self.path, output)

    def save_cache(self, cache: CacheRef, output: Output) -> None:
        """See `workspace.base.Workspace.save_cache`."""
        try:
            tracked = self._tracked() if cache.untracked else ""
        except WorkspaceError as error:
            output(f"WARNING: Failed to create cache: {error}\n".encode("utf-8", "replace"))
            return
        self._caches.save(cache, self.path, tracked, output)
        self._owner.evict(at_once=True)

    def pack(self, selection: Selection, output: Output) -> Packed | None:
        """See `workspace.base.Workspace.pack`. `Packed.size` is the size of the file that is sent."""
        if selection.file_format not in EXTENSIONS:
            raise WorkspaceError(f"{selection.file_format!r} is no format that this runner packs")
        target = self._private / f"packed-{secrets.token_hex(4)}"
        arguments = {
            "root": str(self.path),
            "paths": list(selection.paths),
            "exclude": list(selection.exclude),
            "untracked": selection.untracked,
            "tracked": self._tracked() if selection.untracked else "",
            "file_format": selection.file_format,
            "target": str(target),
        }
        try:
            count = int(self._owner.helper.call("pack", arguments, output).result)
        except HelperError as error:
            raise WorkspaceError(f"The artifacts cannot be packed: {error}") from error
        if not count:
            target.unlink(missing_ok=True)
            output(b"ERROR: No files to upload\n")
            return None
        filename = file_name(selection.name) + EXTENSIONS[selection.file_format]
        return Packed(target, filename, target.stat().st_size, count)

    def read_file(self, relative: str, limit: int) -> bytes | None:
        """See `workspace.base.Workspace.read_file`."""
        arguments = {"root": str(self.path), "path": relative, "limit": limit}
        try:
            content = self._owner.helper.call("read_file", arguments).result
        except HelperError as error:
            raise WorkspaceError(f"{relative} cannot be read: {error}") from error
        return None if content is None else base64.b64decode(content)

    def open_file(self, relative: str) -> BinaryIO | None:
        """See `workspace.base.Workspace.open_file`."""
        try:
            reply = self._owner.helper.call("open_file", {"root": str(self.path), "path": relative})
        except HelperError as error:
            raise WorkspaceError(f"{relative} cannot be opened: {error}") from error
        return os.fdopen(reply.descriptors[0], "rb") if reply.descriptors else None

    def remove(self) -> None:
        """See `workspace.base.Workspace.remove`."""
        self._owner.discard(self._folder)

    def _clear(self) -> None:
        """Empty the tree for a second try (GET_SOURCES_ATTEMPTS). The folder itself stays: it is mounted already."""
        entries = [str(entry) for entry in self.path.iterdir()]
        if entries:
            try:
                self._owner.helper.call("remove", {"paths": entries})
            except HelperError as error:
                raise WorkspaceError(f"The workspace cannot be emptied: {error}") from error

    def _tracked(self) -> str:
        """A file with the names of what git checked out, from the copy of the index; "" where nothing was."""
        index, names = self._private / "index", self._private / "tracked"
        if index.exists() and not names.exists():
            git = Git(lambda _: None, threading.Event())
            environment = {"GIT_INDEX_FILE": str(index), "GIT_DIR": str(self._cache.repository)}
            names.write_bytes(git.run(["ls-files", "-z"], self._private, environment))
        return str(names) if names.exists() else ""


def file_name(name: str) -> str:
    """A plain file name made of the job's wish; "default" where nothing is left of it."""
    plain = UNSAFE.sub("_", name).strip()[:LONGEST_NAME]
    return plain if plain.strip(".") else "default"
