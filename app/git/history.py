"""Which commit a name means, and which commits lie behind it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain import refs
from app.domain.errors import NotFound
from app.git.command import run
from app.git.objects import Objects, is_object_id
from app.git.repository import FoundRef, Repository

_SHORT_ID = re.compile(r"[0-9a-f]{4,64}")
#: `main~2`, `v1.0^`: so many steps back at most are written out.
_STEPS = re.compile(r"(?P<name>.+?)(?P<steps>(?:~\d{0,5}|\^\d?){1,8})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Which commits of a history to list; None does not matter. `everything`: of all branches and tags."""

    path: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    author: str | None = None
    first_parent: bool = False
    everything: bool = False
    topological: bool = False


def find_commit(repository: Repository, name: str, head: str = "") -> str | None:
    """The id of the commit that `name` means: a branch, a tag, a full or shortened id, HEAD (the branch `head`), each
    with steps back (`main~2`). None where there is none. No other of git's ways to say a commit: some search for long.
    """
    with repository.objects() as objects:
        found = _plain(objects, name, head)
        if found is None and (stepped := _STEPS.fullmatch(name)):
            base = _plain(objects, stepped["name"], head)
            found = objects.resolve(f"{base}{stepped['steps']}^{{commit}}") if base else None
        return found


def _plain(objects: Objects, name: str, head: str) -> str | None:
    name = head if name in ("HEAD", "@") else name
    full = name.startswith((refs.BRANCH_PREFIX, refs.TAG_PREFIX))
    names = [name] if full else [refs.BRANCH_PREFIX + name, refs.TAG_PREFIX + name]
    for candidate in names:
        if refs.is_valid_ref(candidate) and (found := objects.resolve(f"{candidate}^{{commit}}")):
            return found
    return objects.resolve(f"{name}^{{commit}}") if _SHORT_ID.fullmatch(name) else None


def require_commit(repository: Repository, name: str, head: str = "") -> str:
    """`find_commit`, which raises NotFound("Commit") instead."""
    found = find_commit(repository, name, head) if repository.exists else None
    if found is None:
        raise NotFound("Commit")
    return found


def list_commits(repository: Repository, start: str, walk: Walk, skip: int, count: int) -> list[str]:
    """The ids of `count` commits from `start` back, newest first, the first `skip` left out."""
    words = ["--literal-pathspecs", "rev-list", f"--max-count={int(count)}", f"--skip={int(skip)}"]
    words += [f"--max-age={_seconds(walk.since)}"] if walk.since else []
    words += [f"--min-age={_seconds(walk.until)}"] if walk.until else []
    words += [f"--author={walk.author}", "--fixed-strings"] if walk.author else []
    words += ["--first-parent"] if walk.first_parent else []
    words += ["--topo-order"] if walk.topological else []
    words += ["--branches", "--tags"] if walk.everything else []
    words += ["--end-of-options", start, "--"]
    _, out = run(repository.folder, [*words, walk.path] if walk.path else words)
    return out.decode("ascii").split()


def _seconds(moment: datetime) -> int:
    """`moment` as git compares it; git's own reading of dates gives up on far ones."""
    return max(int(moment.timestamp()), 0)


def commits_between(repository: Repository, old: str, new: str, limit: int) -> list[str]:
    """The ids of at most `limit` commits that `new` has behind it and `old` has not, oldest first."""
    if not (is_object_id(old) and is_object_id(new)):
        raise NotFound("Commit")
    words = ["rev-list", f"--max-count={int(limit)}", "--end-of-options", new, f"^{old}", "--"]
    _, out = run(repository.folder, words)
    return out.decode("ascii").split()[::-1]


def read_commits(repository: Repository, ids: Iterable[str]) -> list[dict[str, Any]]:
    """Each commit as `parse_commit` shows it."""
    with repository.objects() as objects:
        return [objects.commit(commit_id) for commit_id in ids]


def refs_with(repository: Repository, commit_id: str) -> list[FoundRef]:
    """The branches and tags that have the commit behind them, branches first."""
    if not is_object_id(commit_id):
        raise NotFound("Commit")
    words = ["for-each-ref", "--format=%(refname)", f"--contains={commit_id}", refs.BRANCH_PREFIX, refs.TAG_PREFIX]
    _, out = run(repository.folder, words)
    return [FoundRef(name, commit_id, commit_id) for name in out.decode("utf-8", "replace").splitlines()]


def merged_branches(repository: Repository, into: str) -> set[str]:
    """The full names of the branches all of whose commits `into` has behind it."""
    if not is_object_id(into):
        raise NotFound("Commit")
    _, out = run(repository.folder, ["for-each-ref", "--format=%(refname)", f"--merged={into}", refs.BRANCH_PREFIX])
    return set(out.decode("utf-8", "replace").splitlines())
