"""Output of git that nobody knows the length of: read up to a bound, and no further."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from threading import Timer
from typing import IO, cast

from app.git.command import QUICK, GitFailed, environment, failure


def read_some(folder: Path, arguments: Sequence[str], limit: int) -> tuple[bytes, bool]:
    """The first `limit` bytes that `git ARGUMENTS` prints in `folder`, and whether that was all of it.

    Raises GitFailed where git fails before the bound is reached.
    """
    try:
        process = subprocess.Popen(
            ["git", f"--git-dir={folder}", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            cwd=folder,
        )
    except OSError as error:
        raise failure(error) from error
    timer = Timer(QUICK, process.kill)
    timer.daemon = True
    timer.start()
    try:
        content = cast(IO[bytes], process.stdout).read(limit + 1)
        if len(content) > limit:
            return content[:limit], False
        if process.wait() != 0:
            raise GitFailed(f"git {arguments[0]} failed")
        return content, True
    finally:
        timer.cancel()
        process.kill()
        process.communicate()
