"""The real git program as a user runs it, in a folder of its own."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "LC_ALL": "C.UTF-8",
}
PIPELINE = "build:\n  script: [make]\n"


@dataclass(frozen=True)
class Result:
    """What git said: its exit status, and both its outputs in one text."""

    status: int
    text: str

    @property
    def ok(self) -> bool:
        return self.status == 0


@dataclass(frozen=True)
class Checkout:
    """A working copy with a remote called origin."""

    folder: Path

    def try_git(self, *arguments: str, **environment: str) -> Result:
        """Run git; whatever comes of it."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**ENVIRONMENT, "HOME": str(self.folder), **environment},
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Result(done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace"))

    def git(self, *arguments: str, **environment: str) -> str:
        """Run git, which must succeed; its output without white space around."""
        result = self.try_git(*arguments, **environment)
        assert result.ok, result.text
        return result.text.strip()

    def write(self, files: dict[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: dict[str, str | bytes] | None = None, message: str = "Change") -> str:
        """Commit `files` on top of what is there; the new commit's id."""
        self.write(files or {})
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--cleanup=verbatim", "--message", message)
        return self.git("rev-parse", "HEAD")

    def push(self, *arguments: str) -> Result:
        """`git push origin …`, whatever comes of it."""
        return self.try_git("push", "origin", *arguments)


def new_checkout(folder: Path, url: str, files: dict[str, str | bytes] | None = None) -> Checkout:
    """A fresh repository on `main` with one commit (a pipeline, unless `files` are given) and `url` as its origin."""
    folder.mkdir(parents=True)
    checkout = Checkout(folder)
    checkout.git("init", "--quiet", "--initial-branch=main")
    checkout.git("remote", "add", "origin", url)
    checkout.commit(files if files is not None else {".gitlab-ci.yml": PIPELINE}, "Begin")
    return checkout


def clone(folder: Path, url: str, *options: str) -> Checkout:
    """A clone of `url`, which must succeed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    Checkout(folder.parent).git("clone", "--quiet", *options, url, str(folder))
    return Checkout(folder)
