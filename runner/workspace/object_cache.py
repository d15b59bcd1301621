"""The object cache: one bare repository a project, from which the trees of its jobs borrow their objects.

    CACHE_ROOT/PROJECT/git/            the folder that is mounted read-only into the project's jobs
    CACHE_ROOT/PROJECT/git/bare.git/   the repository; remade inside the folder when it is broken, so that mounts
    stay good CACHE_ROOT/PROJECT/lock            held while the repository changes

What each job fetched is kept under `refs/jobs/JOB/`, so that the next fetch only brings what is new, refs of one
name never get into each other's way, and nothing that a running job borrows is collected. Credentials are never
written here.
"""

import contextlib
import fcntl
import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.executor.base import Cancelled
from runner.workspace.base import Sources, SourcesError
from runner.workspace.git import Git, GitError
from runner.workspace.history import Commits, boundary

REPOSITORY = "bare.git"
KEPT_JOBS = 20
LOCK_TICK = 0.1
SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
REFSPEC = re.compile(
    r"\+?(refs/[^\s:*?\[\\^~\x00-\x1f\x7f]*\*?|[0-9a-f]{40,64}):(refs/[^\s:*?\[\\^~\x00-\x1f\x7f]*\*?)"
)
# A broken or half-written repository, not a wish that the server refuses.
NETWORK_WORDS = (
    "unable to access",
    "could not resolve",
    "authentication failed",
    "not found",
    "couldn't find remote ref",
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch gave: refs as the job shall see them, and the commits where its history is cut off."""

    refs: dict[str, str]
    shallow: frozenset[str]


class ObjectCache:
    """The cache of one project. Other threads and processes may use the same one."""

    def __init__(self, root: Path, project: str) -> None:
        self.folder = root / project / "git"
        self.repository = self.folder / REPOSITORY
        self._lock = root / project / "lock"
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def objects(self) -> Path:
        return self.repository / "objects"

    def fetch(self, git: Git, sources: Sources, job: str, cancelled: Cancelled) -> Fetched:
        """Bring what `sources` names. A repository that proves broken is made anew, once. Raises SourcesError."""
        with self._locked(cancelled):
            self._ensure(git, sources)
            try:
                return self._fetch(git, sources, job)
            except GitError as error:
                words = str(error).lower()
                if cancelled.is_set() or any(word in words for word in NETWORK_WORDS) or self._is_sound(git):
                    raise
                logger.warning("the object cache %s is broken and is made anew: %s", self.repository, error)
                self._set_aside()
                self._ensure(git, sources)
                return self._fetch(git, sources, job)

    def tidy(self, git: Git) -> None:
        """Forget the refs of old jobs, and collect garbage if there is much; objects of the last two weeks stay.

        Done between jobs: when somebody uses the repository, it is left for the next time.
        """
        with contextlib.suppress(OSError, SourcesError), self._lock_file() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._forget_old_jobs(git)
            git.run(["-c", "gc.auto=2000", "gc", "--auto", "--quiet", "--no-detach"], self.repository)

    def _ensure(self, git: Git, sources: Sources) -> None:
        if (self.repository / "HEAD").exists():
            return
        self._set_aside()
        object_format = "sha256" if len(sources.sha) == 64 else "sha1"
        fresh = self.folder / f".new-{secrets.token_hex(4)}"
        git.run(
            ["init", "--quiet", "--bare", "--template=", f"--object-format={object_format}", str(fresh)], self.folder
        )
        fresh.rename(self.repository)

    def _fetch(self, git: Git, sources: Sources, job: str) -> Fetched:
        prefix = f"refs/jobs/{job}/"
        arguments = ["fetch", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance", "--no-tags"]
        arguments += ["--force", *self._depth(sources), "--end-of-options", sources.repository]
        git.run([*arguments, *refspecs(sources, prefix)], self.repository, show="--quiet" not in sources.fetch_flags)
        refs = self._refs(git, prefix)
        with Commits(git, self.repository) as commits:
            if not commits.parents([sources.sha]):
                # The server moved the ref on meanwhile; most servers also give a commit that is asked for by its name.
                git.run([*arguments, f"{sources.sha}:{prefix}commit"], self.repository)
            tips = {*refs.values(), sources.sha}
            shallow = boundary(commits, tips, sources.depth, self._own_boundary()) if sources.depth else frozenset()
        return Fetched(refs, shallow)

    def _depth(self, sources: Sources) -> list[str]:
        """A cache that has whole histories keeps them: cutting it would only be undone by the next job."""
        shallow = (self.repository / "shallow").exists()
        if not sources.depth:
            return ["--unshallow"] if shallow else []
        empty = not any(self.objects.glob("pack/*.pack")) and not any(self.objects.glob("??"))
        return [f"--depth={sources.depth}"] if shallow or empty else []

    def _refs(self, git: Git, prefix: str) -> dict[str, str]:
        listed = git.run(["for-each-ref", "--format=%(objectname) %(refname)", prefix], self.repository).decode()
        pairs = (line.split(" ", 1) for line in listed.splitlines())
        return {f"refs/{name.removeprefix(prefix)}": sha for sha, name in pairs}

    def _own_boundary(self) -> set[str]:
        try:
            return set((self.repository / "shallow").read_text().split())
        except FileNotFoundError:
            return set()

    def _forget_old_jobs(self, git: Git) -> None:
        """Drop the refs of all but the last jobs."""
        listed = git.run(["for-each-ref", "--format=%(refname)", "refs/jobs/"], self.repository).decode().splitlines()
        numbers = sorted({int(name.split("/")[2]) for name in listed}, reverse=True)
        dropped = set(numbers[KEPT_JOBS:])
        orders = "".join(f"delete {name}\n" for name in listed if int(name.split("/")[2]) in dropped)
        if orders:
            git.run(["update-ref", "--stdin"], self.repository, stdin=orders.encode())

    def _is_sound(self, git: Git) -> bool:
        try:
            git.run(["fsck", "--connectivity-only", "--no-dangling", "--no-progress"], self.repository)
        except GitError:
            return False
        return True

    def _set_aside(self) -> None:
        """Running jobs keep what they have open; the name is free at once."""
        for leftover in self.folder.glob(".*-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if self.repository.exists():
            aside = self.folder / f".broken-{secrets.token_hex(4)}"
            self.repository.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)

    @contextlib.contextmanager
    def _lock_file(self) -> Iterator[int]:
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)  # and with it the lock

    @contextlib.contextmanager
    def _locked(self, cancelled: Cancelled) -> Iterator[None]:
        """Alone in this repository; waits for others, unless the job is cancelled."""
        with self._lock_file() as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.utime(file)  # the time of the last use, for `eviction`
                    break
                except BlockingIOError:
                    if cancelled.is_set():
                        raise SourcesError("cancelled while waiting for the project's object cache") from None
                    time.sleep(LOCK_TICK)
            yield


def refspecs(sources: Sources, prefix: str) -> Sequence[str]:
    """The job's refspecs with their destinations moved below `prefix`. Raises SourcesError for one that is none."""
    moved = []
    for refspec in sources.refspecs:
        match = REFSPEC.fullmatch(refspec)
        if match is None or ".." in refspec:
            raise SourcesError(f"{refspec!r} is no refspec that this runner fetches")
        moved.append(f"+{match.group(1)}:{prefix}{match.group(2).removeprefix('refs/')}")
    return moved or [f"{sources.sha}:{prefix}commit"]
