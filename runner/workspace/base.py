"""What the daemon asks of a job's files. `local.py` holds the implementation; the rules are in the design, "Who may
touch what".

No host-side program trusts a tree that job code has touched: git runs in it only before the first script, and whatever
reads or removes files afterwards does so inside the user namespace, by file descriptor, following no link.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from runner.executor.base import Cancelled, Output


class WorkspaceError(Exception):
    """Files could not be prepared, collected or removed. `failure_reason` is the protocol's word for it."""

    failure_reason = "runner_system_failure"


class SourcesError(WorkspaceError):
    """The sources could not be fetched or checked out."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What to check out, from the job's `git_info` and its GIT_* variables (gitlab.md A.7), each parsed, none passed
    on raw.

    `repository` has no credentials; `username` and `password` go to git by a way that neither `ps` nor the job's tree
    shows.
    `strategy`: clone | fetch | none | empty. `depth` 0 is the whole history. `submodules`: none | normal | recursive.
    `submodules_by_https`: those of the repository's own host that are named for SSH come as the repository does.
    `large_files`: what Git LFS keeps is fetched.
    """

    repository: str
    username: str
    password: str
    sha: str
    ref: str
    refspecs: tuple[str, ...]
    depth: int = 20
    strategy: str = "fetch"
    checkout: bool = True
    clean_flags: tuple[str, ...] = ("-ffdx",)
    fetch_flags: tuple[str, ...] = ("--prune", "--quiet")
    submodules: str = "none"
    submodule_depth: int = 0
    submodule_paths: tuple[str, ...] = ()
    submodule_flags: tuple[str, ...] = ()
    submodules_by_https: bool = False
    large_files: bool = True
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files to pack: globs relative to the project directory (gitlab.md A.6), variables already expanded."""

    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    untracked: bool = False
    name: str = "artifacts"
    file_format: str = "zip"


@dataclass(frozen=True, slots=True)
class Packed:
    """One packed file on the host, ready to be sent; the caller removes it. `count` members of `size` bytes in all."""

    path: Path
    filename: str
    size: int
    count: int


@dataclass(frozen=True, slots=True)
class CacheRef:
    """One cache of a job: where it is looked for (`keys`, in order) and what goes into it (key `keys[0]`).

    `timeout` bounds each way to or from object storage, in seconds; `cancelled` ends it.
    """

    project: str
    keys: tuple[str, ...]
    paths: tuple[str, ...] = ()
    untracked: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)
    timeout: float = 600.0
    cancelled: Cancelled = field(default_factory=threading.Event, compare=False)


class Workspace(Protocol):
    """The files of one job on the host. Attributes are host paths; `read_only_mounts` as `executor.base.Build` wants
    them.
    """

    path: Path
    control: Path
    read_only_mounts: Mapping[Path, str]

    def get_sources(self, sources: Sources, output: Output, cancelled: Cancelled) -> None:
        """Check the sources out into `path`. Raises SourcesError with git's last words (no credentials in them)."""

    def unpack(self, archive: Path, output: Output) -> None:
        """Unpack a downloaded artifact archive (zip, by magic) into `path`: no link followed, nothing outside."""

    def restore_cache(self, cache: CacheRef, output: Output) -> bool:
        """Unpack the first of the cache's keys that is there. True when one was."""

    def save_cache(self, cache: CacheRef, output: Output) -> None:
        """Pack the cache's files under its first key. A cache never fails a job: problems are printed."""

    def pack(self, selection: Selection, output: Output) -> Packed | None:
        """Pack what `selection` finds; None, and a line that says so, when it finds nothing."""

    def read_file(self, relative: str, limit: int) -> bytes | None:
        """The bytes of a regular file below `path` (at most `limit`), None where there is none. Never follows a
        link.
        """

    def open_file(self, relative: str) -> BinaryIO | None:
        """The regular file below `path`, opened to be read; None for a folder. Never follows a link. Raises
        WorkspaceError where there is no such file.
        """

    def remove(self) -> None:
        """Remove workspace and control folder, whoever owns the files. May finish in the background."""


class Workspaces(Protocol):
    """All workspaces of one runner, below one 0700 folder."""

    def create(self, job_id: int, project_id: int, project_path: str, slot: int) -> Workspace:
        """Fresh, empty folders for a job."""

    def remove_orphans(self) -> None:
        """Remove what an earlier run of the daemon left."""

    def close(self) -> None:
        """Finish what goes on in the background. Called before the executor closes, whose helper it may need."""
