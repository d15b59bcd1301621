"""The one way to call git: a hardened environment, lists of arguments, a time limit on every call."""

import errno
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from app.domain.errors import SkerryError, StorageFull

#: Seconds for a call that only looks something up or moves a ref.
QUICK = 30.0
#: Output of such a call beyond this many bytes is refused.
OUTPUT_LIMIT = 64 * 1024 * 1024

# Given with every call, so that no file on this host can add to it. Every repository here is ours, whoever's files
# they are.
_SETTINGS = (
    ("safe.directory", "*"),
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.attributesFile", os.devnull),
    ("protocol.allow", "never"),
    ("credential.helper", ""),
    ("advice.detachedHead", "false"),
)


class GitFailed(SkerryError):
    """Git refused or failed. `detail` is its own text, for logs: it may name paths of this host."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class GitTimedOut(GitFailed):
    """Git took longer than it may."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a git process: nothing of the server's own reaches it but PATH."""
    values = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",  # so no .netrc, .gitconfig or .ssh of the server's user has a say
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": str(len(_SETTINGS)),
    }
    for index, (key, value) in enumerate(_SETTINGS):
        values[f"GIT_CONFIG_KEY_{index}"] = key
        values[f"GIT_CONFIG_VALUE_{index}"] = value
    return values | dict(extra or {})


def run(
    folder: Path,
    arguments: Sequence[str],
    *,
    stdin: bytes | None = None,
    timeout: float = QUICK,
    extra: Mapping[str, str] | None = None,
    accept: Sequence[int] = (0,),
) -> tuple[int, bytes]:
    """Run `git ARGUMENTS` in the bare repository `folder`; return exit status and output.

    Raises GitFailed for any status that is not in `accept`, for a time-out and for too much output, StorageFull for a
    full disk.
    """
    try:
        done = _finished(
            subprocess.Popen(
                ["git", f"--git-dir={folder}", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(extra),
                cwd=folder if folder.is_dir() else folder.parent,
                process_group=0,
            ),
            stdin or b"",
            timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise GitTimedOut(f"git {arguments[0]} took longer than {timeout:g} s") from error
    except OSError as error:
        raise failure(error) from error
    detail = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode not in accept:
        if os.strerror(errno.ENOSPC) in detail:
            raise StorageFull("the server's disk is full")
        raise GitFailed(f"git {arguments[0]} failed", detail)
    if len(done.stdout) > OUTPUT_LIMIT:
        raise GitFailed(f"git {arguments[0]} printed more than {OUTPUT_LIMIT} bytes")
    return done.returncode, done.stdout


def _finished(process: subprocess.Popen[bytes], stdin: bytes, timeout: float) -> subprocess.CompletedProcess[bytes]:
    """Wait for git, and end it with all that it started where that takes too long: its helpers would go on fetching."""
    with process:
        try:
            stdout, stderr = process.communicate(stdin, timeout)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def failure(error: OSError) -> SkerryError:
    """What an OSError of a git call means to the caller."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull("the server's disk is full")
    return GitFailed("the repository cannot be used", str(error))
