"""Commits made on the server: trees and commits built without a working copy."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from app.domain.errors import InvalidRequest
from app.git.command import GitFailed, run
from app.git.repository import Repository

GONE = "0" * 40


@dataclass(frozen=True, slots=True)
class Person:
    """Who wrote a commit. Control characters and angle brackets are left out of both, as git needs it."""

    name: str
    email: str

    def variables(self, role: str, moment: datetime) -> dict[str, str]:
        """The environment in which git takes this person for author or committer."""
        name = _plain(self.name) or "unknown"
        email = _plain(self.email) or "unknown@localhost"
        date = f"{int(moment.timestamp())} +0000"
        return {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email, f"GIT_{role}_DATE": date}


@dataclass(frozen=True, slots=True)
class Placed:
    """What shall lie at `path`; `mode` None: nothing."""

    path: str
    mode: str | None
    blob: str = GONE


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable() and letter not in "<>").strip()


def write_blob(repository: Repository, content: bytes) -> str:
    """Keep `content`; its id."""
    _, out = run(repository.folder, ["hash-object", "-w", "--stdin"], stdin=content)
    return out.decode("ascii").strip()


def write_tree(repository: Repository, parent: str | None, placed: Iterable[Placed]) -> str:
    """The tree of the commit `parent` (None: an empty one) with what is `placed` in it. Raises InvalidRequest."""
    lines = (f"{each.mode or '0'} {each.blob}\t{each.path}\0" for each in placed)
    with TemporaryDirectory(prefix="skerry-index-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        run(repository.folder, ["read-tree", parent] if parent else ["read-tree", "--empty"], extra=index)
        try:
            run(repository.folder, ["update-index", "-z", "--index-info"], stdin="".join(lines).encode(), extra=index)
            _, out = run(repository.folder, ["write-tree"], extra=index)
        except GitFailed as error:
            raise InvalidRequest("A file cannot lie there: its path is not allowed") from error
    return out.decode("ascii").strip()


def write_commit(
    repository: Repository,
    tree: str,
    parent: str | None,
    message: str,
    author: Person,
    committer: Person,
    moment: datetime,
) -> str:
    """A commit that no ref leads to yet; its id."""
    words = ["commit-tree", *(["-p", parent] if parent else []), tree]
    extra = author.variables("AUTHOR", moment) | committer.variables("COMMITTER", moment)
    _, out = run(repository.folder, words, stdin=message.encode(), extra=extra)
    return out.decode("ascii").strip()
