"""Where a history of a given depth ends, read from one `git cat-file` that stays open for all steps."""

import itertools
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from runner.workspace.git import Git

AT_ONCE = 100


class Commits:
    """Reads commits of the repository at `folder`. A context manager; for one thread."""

    def __init__(self, git: Git, folder: Path) -> None:
        self._process = subprocess.Popen(
            ["git", "cat-file", "--batch"],
            cwd=folder,
            env=git.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> "Commits":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()

    def parents(self, names: Iterable[str]) -> dict[str, list[str]]:
        """The parents that each commit names. A tag leads to its commit; what is no commit, or not here, is left
        out.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("cat-file has no pipes")
        found: dict[str, list[str]] = {}  # a root commit is found too, with no parents
        waiting = iter(sorted(names))
        while some := list(itertools.islice(waiting, AT_ONCE)):
            stdin.write("".join(f"{name}^{{commit}}\n" for name in some).encode())
            stdin.flush()
            for _ in some:
                found.update(read_commit(stdout))
        return found


def read_commit(stream: IO[bytes]) -> Iterator[tuple[str, list[str]]]:
    """One answer of `cat-file --batch`: at most one commit."""
    words = stream.readline().split()
    if len(words) != 3 or not words[2].isdigit():
        return
    content = stream.read(int(words[2]) + 1)
    header = content.partition(b"\n\n")[0].decode("utf-8", "replace")
    yield words[0].decode(), [line[7:] for line in header.split("\n") if line.startswith("parent ")]


def boundary(commits: Commits, tips: set[str], depth: int, cut: set[str]) -> frozenset[str]:
    """The commits `depth` steps from a tip that have parents, and those of `cut` (where the repository's own history
    ends).

    This is what `git fetch --depth` would write into a repository's list of shallow commits.
    """
    found: set[str] = set()
    seen: set[str] = set()
    level = tips
    for step in range(1, depth + 1):
        level = level - seen
        if not level:
            break
        seen |= level
        parents = commits.parents(level)
        ends = {sha for sha, above in parents.items() if sha in cut or (above and step == depth)}
        found |= ends
        level = {parent for sha, above in parents.items() if sha not in ends for parent in above}
    return frozenset(found)
