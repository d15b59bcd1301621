"""An ordinary user with working rootless Podman: the one who runs the tests, or one made for it when that is root."""

import atexit
import functools
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BASE_IMAGE = "localhost/skerry/base"
NAME = "skerry-test"
HOME = Path("/var/lib/skerry-test")
DEVICES = (Path("/dev/net/tun"), Path("/dev/fuse"))
PROGRAMS = ("podman", "newuidmap", "busybox", "git")


@dataclass(frozen=True, slots=True)
class RunnerUser:
    """An ordinary user. `checkout` is the project's code at a path that this user can read."""

    name: str
    uid: int
    gid: int
    home: Path
    env: dict[str, str]
    checkout: Path

    def command(self, arguments: Sequence[str | os.PathLike[str]]) -> list[str]:
        """`arguments` as they have to be run from here to run as that user."""
        words = [os.fspath(word) for word in arguments]
        if os.geteuid() != 0 or self.uid == 0:
            return words
        return ["setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--init-groups", "--", *words]

    def run(self, arguments: Sequence[str | os.PathLike[str]], **options: Any) -> "subprocess.CompletedProcess[str]":
        """Run to the end; text in and out, captured, checked, in the user's home unless `options` say otherwise."""
        options = {"capture_output": True, "text": True, "check": True, "cwd": self.home, "timeout": 120} | options
        options["env"] = self.env | dict(options.get("env") or {})
        check = options.pop("check")
        done = subprocess.run(self.command(arguments), check=False, **options)
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout} {done.stderr}"
        return done

    def popen(self, arguments: Sequence[str | os.PathLike[str]], **options: Any) -> "subprocess.Popen[str]":
        """Start; text, in the user's home unless `options` say otherwise."""
        options = {"text": True, "cwd": self.home} | options
        options["env"] = self.env | dict(options.get("env") or {})
        return subprocess.Popen(self.command(arguments), **options)


class UnavailableError(Exception):
    """This host cannot run the tests; the message says what it lacks."""


@functools.cache
def ready_user() -> RunnerUser:
    """The user, with Podman configured and working. Raises UnavailableError."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        raise UnavailableError(f"not installed: {', '.join(missing)}")
    user = made_user() if os.geteuid() == 0 else own_user()
    if user.name == NAME:  # what an older version of the code wrote does not count
        user.run(["rm", "-rf", ".config/containers/containers.conf", ".config/containers/containers.conf.d"])
    done = user.run([sys.executable, "-m", "runner.host"], cwd=user.checkout, check=False)
    if done.returncode != 0:
        raise UnavailableError(f"rootless Podman cannot be configured: {done.stdout}{done.stderr}")
    done = user.run(["podman", "info"], check=False)
    if done.returncode != 0:
        raise UnavailableError(f"rootless Podman does not work: {done.stderr}")
    return user


@functools.cache
def ready_base_image() -> str:
    """The name of the base image, built in the user's storage unless it is there. Raises UnavailableError."""
    user = ready_user()
    program = user.checkout / "contrib" / "base-image" / "build.py"
    done = user.run([sys.executable, program, "--tag", BASE_IMAGE], check=False)
    if done.returncode != 0:
        raise UnavailableError(f"the base image cannot be built: {done.stdout}{done.stderr}")
    return BASE_IMAGE


def own_user() -> RunnerUser:
    entry = pwd.getpwuid(os.geteuid())
    return RunnerUser(entry.pw_name, entry.pw_uid, entry.pw_gid, Path(entry.pw_dir), dict(os.environ), ROOT)


def made_user() -> RunnerUser:
    """Make, or use again, a user of its own; root's tests must never touch a real user's containers."""
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        subprocess.run(["useradd", "--create-home", "--home-dir", str(HOME), NAME], check=True, capture_output=True)
        entry = pwd.getpwnam(NAME)
    for line, kind in ((Path("/etc/subuid"), "--add-subuids"), (Path("/etc/subgid"), "--add-subgids")):
        if not any(row.startswith(f"{NAME}:") for row in line.read_text().splitlines()):
            subprocess.run(["usermod", kind, "500000-565535", NAME], check=True, capture_output=True)
    runtime = Path(f"/run/user/{entry.pw_uid}")
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chown(runtime, entry.pw_uid, entry.pw_gid)
    for device in DEVICES:
        if device.exists():
            device.chmod(0o666)
    env = {
        "HOME": entry.pw_dir, "USER": NAME, "LOGNAME": NAME, "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(runtime),
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    env |= {key: os.environ[key] for key in ("CI", "TMPDIR") if key in os.environ}
    user = RunnerUser(NAME, entry.pw_uid, entry.pw_gid, Path(entry.pw_dir), env, ROOT)
    if user.run([sys.executable, "-c", "import pytest"], check=False).returncode != 0:
        raise UnavailableError(
            f"the user {NAME} cannot use {sys.executable}; put the virtual environment where all may read"
        )
    user = readable_checkout(user)
    # It cannot do this itself, and every runner that a test starts would compile it all again.
    subprocess.run([sys.executable, "-m", "compileall", "-q", user.checkout / "runner"], check=True)
    return user


def readable_checkout(user: RunnerUser) -> RunnerUser:
    """The same user with a copy of the code, where this checkout lies in a folder that it may not enter."""
    if user.run(["cat", ROOT / "runner" / "__init__.py"], check=False).returncode == 0:
        return user
    # One for each process that tests: two of them must not tidy up under each other.
    copy = Path(tempfile.mkdtemp(prefix="checkout-", dir=user.home))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    left_out = shutil.ignore_patterns(".git", ".venv", "data", "node_modules", "results", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, copy, ignore=left_out, symlinks=True, dirs_exist_ok=True)
    copy.chmod(0o755)
    return RunnerUser(user.name, user.uid, user.gid, user.home, user.env, copy)
