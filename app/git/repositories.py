"""The repositories on this host, one bare folder each, named by the project's id: renaming a project moves nothing."""

import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.git.command import failure, run
from app.git.repository import Repository

_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tlogAllRefUpdates = false
\tpackedRefsTimeout = 10000
[receive]
\tadvertisePushOptions = true
\tdenyCurrentBranch = ignore
\tdenyDeleteCurrent = ignore
\tfsckObjects = true
\thideRefs = refs/pipelines
\thideRefs = refs/keep
\thideRefs = refs/mirror
[receive "fsck"]
\tbadTimezone = ignore
\tmissingSpaceBeforeDate = ignore
\tzeroPaddedFilemode = ignore
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
\thideRefs = refs/mirror
[pack]
\twindowMemory = 256m
\tthreads = 2
[gc]
\tauto = 6700
\tautoDetach = true
"""

# Git moves a ref only when this agrees. It knows the refs that may not be forced by their names, which hold no white
# space.
_UPDATE_HOOK = """\
#!/bin/sh
# update REF OLD NEW
case " $SKERRY_FAST_FORWARD_ONLY " in
  *" $1 "*) ;;
  *) exit 0 ;;
esac
case "$2$3" in
  *0000000000000000000000000000000000000000*) exit 0 ;;
esac
exec git merge-base --is-ancestor "$2" "$3"
"""

# Git asks "Username for …" and "Password for …"; the answers are in its own environment, never in an argument.
_ASKPASS = """\
#!/bin/sh
case "$1" in
  Username*) printf '%s\\n' "$SKERRY_USERNAME" ;;
  *) printf '%s\\n' "$SKERRY_PASSWORD" ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An empty repository that belongs to nobody yet."""

    folder: Path

    def discard(self) -> None:
        """Remove it, unless it was adopted."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Repositories:
    """All hosted and mirrored repositories below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def hooks(self) -> Path:
        """The folder of our own small programs that git calls: `update` for pushes alone, `askpass` for mirrors."""
        return self.folder / ".hooks"

    def path(self, project_id: int) -> Path:
        """The folder of a project's repository."""
        return self.folder / f"{int(project_id)}.git"

    def open(self, project_id: int) -> Repository:
        """The repository of a project."""
        return Repository(self.path(project_id))

    def prepare(self, default_branch: str = "main") -> Prepared:
        """A new empty bare repository beside the others, to be adopted once its project has an id. Raises
        StorageFull, GitFailed.
        """
        prepared = Prepared(self.folder / f".new-{secrets.token_hex(8)}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._write_program("update", _UPDATE_HOOK)
            self._write_program("askpass", _ASKPASS)
            run(
                prepared.folder,
                [
                    "init",
                    "--quiet",
                    "--bare",
                    "--template=",
                    f"--initial-branch={default_branch}",
                    str(prepared.folder),
                ],
            )
            (prepared.folder / "config").write_text(_CONFIG, encoding="ascii")
        except OSError as error:
            prepared.discard()
            raise failure(error) from error
        except BaseException:
            prepared.discard()
            raise
        return prepared

    def adopt(self, prepared: Prepared, project_id: int) -> None:
        """Make `prepared` the repository of `project_id`. What lies there belonged to a project that is gone: it is
        moved aside.
        """
        target = self.path(project_id)
        try:
            if target.exists():
                target.rename(self.folder / f".old-{project_id}-{secrets.token_hex(4)}")
            prepared.folder.rename(target)
        except OSError as error:
            raise failure(error) from error

    def remove(self, project_id: int) -> None:
        """Remove a project's repository; fine when it is gone already."""
        aside = self.folder / f".old-{project_id}-{secrets.token_hex(4)}"
        try:
            self.path(project_id).rename(aside)
        except FileNotFoundError:
            return
        shutil.rmtree(aside, ignore_errors=True)

    def sweep(self, before: datetime) -> None:
        """Remove what was prepared or moved aside and has not been touched since `before`."""
        for folder in [*self.folder.glob(".new-*"), *self.folder.glob(".old-*")]:
            with suppress(FileNotFoundError):
                if folder.stat().st_mtime < before.timestamp():
                    shutil.rmtree(folder, ignore_errors=True)

    def _write_program(self, name: str, text: str) -> None:
        """Have the small program `text` in the folder of hooks, whole at any moment: another process may run it."""
        program = self.hooks / name
        if program.exists() and program.read_text(encoding="ascii") == text:
            return
        self.hooks.mkdir(mode=0o700, exist_ok=True)
        fresh = self.hooks / f".{name}-{secrets.token_hex(4)}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        fresh.rename(program)
