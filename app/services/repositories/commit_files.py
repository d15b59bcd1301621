"""Commit changed files to a branch, as an API asks for it; the branch moves as by a push."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain import refs
from app.domain.errors import InvalidRequest
from app.git import build, trees
from app.git.history import Walk, find_commit, list_commits
from app.git.objects import ZERO_ID
from app.git.receive import RefUpdate
from app.git.repository import Repository
from app.models import Project, User
from app.services.core import Core
from app.services.repositories.move_ref import move_ref, require_writable

KINDS = ("create", "update", "delete", "move", "chmod")
MAX_ACTIONS = 1000
_PLAIN, _EXECUTABLE = "100644", "100755"


@dataclass(frozen=True, slots=True)
class FileAction:
    """One change of one file. `kind` is one of KINDS; `content` None: as it was (move, chmod).

    `executable` None: as it was. `last_commit`: the newest commit of the file that whoever changes it knows of.
    """

    kind: str
    path: str
    content: bytes | None = None
    previous_path: str | None = None
    executable: bool | None = None
    last_commit: str | None = None


def commit_files(
    core: Core,
    project: Project,
    user: User,
    *,
    branch: str,
    message: str,
    actions: Sequence[FileAction],
    start: str | None = None,
    author: build.Person | None = None,
) -> str:
    """Commit `actions` to `branch`, which is made at `start` where it is missing; the commit's id.

    Raises InvalidRequest in GitLab's words, NotAllowed, Conflict (the branch moved meanwhile).
    """
    require_writable(core, project, user)
    if not refs.is_valid_name(branch):
        raise InvalidRequest("Branch name is invalid")
    if not 1 <= len(actions) <= MAX_ACTIONS:
        raise InvalidRequest(f"A commit has 1 to {MAX_ACTIONS} actions")
    if not message.strip():
        raise InvalidRequest("A commit needs a message")
    repository = core.repositories.open(project.id)
    full_name = refs.BRANCH_PREFIX + branch
    there = repository.current([full_name])
    parent = there[0].commit if there else _start(repository, project, start)
    placed = _Files(repository, parent).after(actions)
    person = build.Person(user.name or user.username, user.email or f"{user.username}@localhost")
    tree = build.write_tree(repository, parent, placed)
    made = build.write_commit(repository, tree, parent, message, author or person, person, core.now())
    move_ref(core, project, user, RefUpdate(full_name, there[0].target if there else ZERO_ID, made))
    return made


def _start(repository: Repository, project: Project, start: str | None) -> str | None:
    """Where a branch begins that is not there yet; None in a repository that holds nothing."""
    if start is not None:
        found = find_commit(repository, start, project.default_branch)
        if found is None:
            raise InvalidRequest(f"Cannot find start_branch '{start}'")
        return found
    if repository.branches():
        raise InvalidRequest("You can only create or edit files when you are on a branch")
    return None


class _Files:
    """The files of a commit, and what becomes of them one action after the other."""

    def __init__(self, repository: Repository, commit: str | None) -> None:
        self._repository, self._commit = repository, commit
        self._changed: dict[str, build.Placed] = {}

    def after(self, actions: Sequence[FileAction]) -> list[build.Placed]:
        for action in actions:
            self._apply(action)
        removed = [each for each in self._changed.values() if each.mode is None]
        return removed + [each for each in self._changed.values() if each.mode is not None]

    def _apply(self, action: FileAction) -> None:
        if not trees.is_plain(action.path) or ".git" in action.path.lower().split("/"):
            raise InvalidRequest("invalid path")
        now = self._at(action.path)
        if action.kind in ("create", "move") and now.mode is not None:
            raise InvalidRequest("A file with this name already exists")
        if action.kind in ("create", "move"):
            self._refuse_what_is_in_the_way(action.path)
        source = now if action.kind != "move" else self._at(action.previous_path or "")
        if action.kind != "create" and source.mode is None:
            raise InvalidRequest("A file with this name doesn't exist")
        self._refuse_stale(action)
        if action.kind in ("delete", "move"):
            self._changed[source.path] = build.Placed(source.path, None)
        if action.kind != "delete":
            self._changed[action.path] = self._new(action, source)

    def _new(self, action: FileAction, source: build.Placed) -> build.Placed:
        content = b"" if action.kind == "create" and action.content is None else action.content
        keeps = action.kind == "chmod" or content is None
        blob = source.blob if keeps else build.write_blob(self._repository, content or b"")
        mode = source.mode or _PLAIN
        if action.executable is not None:
            mode = _EXECUTABLE if action.executable else _PLAIN
        return build.Placed(action.path, mode, blob)

    def _at(self, path: str) -> build.Placed:
        if path in self._changed:
            return self._changed[path]
        entry = trees.find_entry(self._repository, self._commit, path) if self._commit else None
        if entry is None or entry.kind != "blob":
            return build.Placed(path, None)
        return build.Placed(path, entry.mode, entry.object_id)

    def _refuse_what_is_in_the_way(self, path: str) -> None:
        """Git would take a folder away for a file of its name, and a file for a folder."""
        parts = path.split("/")
        above = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        if any(self._at(folder).mode is not None for folder in above):
            raise InvalidRequest("A file with the name of a folder above it already exists")
        below = any(each.mode is not None and each.path.startswith(f"{path}/") for each in self._changed.values())
        entry = trees.find_entry(self._repository, self._commit, path) if self._commit else None
        if below or (entry is not None and entry.kind != "blob"):
            raise InvalidRequest("A directory with this name already exists")

    def _refuse_stale(self, action: FileAction) -> None:
        if action.last_commit is None or self._commit is None:
            return
        known = list_commits(self._repository, self._commit, Walk(path=action.previous_path or action.path), 0, 1)
        if known != [action.last_commit]:
            raise InvalidRequest("You are attempting to update a file that has changed since you started editing it.")
