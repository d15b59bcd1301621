"""What all checks of `skerry-runner doctor` share."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SECONDS = 30


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `mend` is one line that says what to do, "" where nothing is to be done.

    `ok` False means that jobs, or some kinds of jobs, will fail. Advice that stops nothing is `ok` with a `mend`.
    """

    name: str
    ok: bool
    detail: str
    mend: str = ""


OPTIONS: dict[str, Any] = {"capture_output": True, "text": True, "check": False, "timeout": SECONDS}


def run(*command: str, codes: bool = False) -> str:
    """A command's output, or its exit code as text; "" for one that cannot be run."""
    try:
        done = subprocess.run(command, **OPTIONS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return str(done.returncode) if codes else done.stdout


def which(name: str) -> str | None:
    """As the shell finds it, and in the folders of administrators' programs, which Podman searches too."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")


def listed(missing: list[str]) -> str:
    return f"missing: {', '.join(missing)}" if missing else "all there"


def install(packages: list[str]) -> str:
    return f"install {' '.join(packages)} (Debian: apt-get install {' '.join(packages)})" if packages else ""


def guarded(check: Callable[[], Check]) -> Callable[[], Check]:
    """The check, reporting its own failure instead of ending the others."""

    def attempt() -> Check:
        try:
            return check()
        except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
            return Check(check.__name__.replace("_", " "), False, str(error), "see the message")

    return attempt
