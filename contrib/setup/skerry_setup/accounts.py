"""The users that the two programs run as, and running programs as one of them.

As root: `skerry` (server) and `skerry-runner` (runner and Podman), made when missing. Otherwise both are the caller.
Dropping privileges needs neither a terminal nor logind: the identity is changed between fork and exec.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .subids import give_subids, require_subids
from .ui import SetupError, last_line, step

SERVER_USER = "skerry"
RUNNER_USER = "skerry-runner"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Account:
    """A user of this machine that programs are run as. `passed_on` is what they inherit of the caller's environment."""

    name: str
    uid: int
    gid: int
    home: Path
    runtime_dir: Path
    passed_on: Mapping[str, str]

    def environment(self, **more: str) -> dict[str, str]:
        """A clean environment for this user's programs."""
        own = {
            "HOME": str(self.home),
            "USER": self.name,
            "LOGNAME": self.name,
            "PATH": SYSTEM_PATH,
            "LANG": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(self.runtime_dir),
            "PYTHONUNBUFFERED": "1",
        }
        return dict(self.passed_on) | own | more

    def popen_options(self) -> dict[str, Any]:
        """Arguments of subprocess that make the child this user."""
        if os.geteuid() == self.uid:
            return {"umask": 0o022}
        return {
            "user": self.uid,
            "group": self.gid,
            "extra_groups": os.getgrouplist(self.name, self.gid),
            "umask": 0o022,
        }

    def run(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str] | None = None,
        *,
        cwd: Path = Path("/"),
        timeout: float = 600,
    ) -> subprocess.CompletedProcess[str]:
        """Runs `command` as this user and waits. Output is captured; the exit code is the caller's to judge."""
        return subprocess.run(
            [str(part) for part in command],
            env=dict(environment or self.environment()),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            start_new_session=True,
            **self.popen_options(),
        )

    def must_run(
        self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None, **options: Any
    ) -> str:
        """`run`, and SetupError with the program's last words unless it succeeds. Returns its standard output."""
        shown = " ".join(Path(str(part)).name if index == 0 else str(part) for index, part in enumerate(command[:3]))
        try:
            done = self.run(command, environment, **options)
        except subprocess.TimeoutExpired as error:
            raise SetupError(f"`{shown}` did not end within {error.timeout:.0f} seconds.") from error
        if done.returncode != 0:
            said = last_line(done.stderr) or last_line(done.stdout) or f"exit code {done.returncode}"
            raise SetupError(f"`{shown}` failed: {said.removeprefix('skerry: ').removeprefix('Error: ')}")
        return done.stdout

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Files are opened and made as this user meanwhile, so that no link this user planted leads root astray."""
        if os.geteuid() == self.uid:
            yield
            return
        groups = os.getgroups()
        os.setgroups([])
        os.setegid(self.gid)
        os.seteuid(self.uid)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(groups)

    def make_dir(self, path: Path) -> None:
        """A folder of this user alone (0700). Refuses one that belongs to somebody else."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=0o700)
            os.chown(path, self.uid, self.gid)
        status = path.lstat()
        if status.st_uid != self.uid and status.st_uid == os.geteuid() and not any(path.iterdir()):
            os.chown(path, self.uid, self.gid)
            status = path.lstat()
        if status.st_uid != self.uid:
            raise SetupError(
                f"{path} belongs to {_owner(status.st_uid)}, not to {self.name}.",
                f"Run this as {_owner(status.st_uid)} would, or set SKERRY_DATA_DIR to another folder.",
            )
        with self.acting():
            path.chmod(0o700)


def service_accounts(as_root: bool, passed_on: Mapping[str, str]) -> tuple[Account, Account]:
    """The server's and the runner's account, made when root and missing."""
    if not as_root:
        caller = _account(pwd.getpwuid(os.geteuid()), _own_runtime_dir(), passed_on)
        require_subids(caller.name, caller.uid)
        return caller, caller
    return _system_account(SERVER_USER, passed_on), _runner_account(passed_on)


def existing_uids(as_root: bool) -> set[int]:
    """The uids that our services may have on this machine; empty when root never made them."""
    if not as_root:
        return {os.geteuid()}
    return {entry.pw_uid for entry in pwd.getpwall() if entry.pw_name in (SERVER_USER, RUNNER_USER)}


def _system_account(name: str, passed_on: Mapping[str, str]) -> Account:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        step(f"Making the user {name}")
        _useradd(name)
        entry = pwd.getpwnam(name)
    account = _account(entry, Path("/run/user") / str(entry.pw_uid), passed_on)
    account.make_dir(account.home)
    return account


def _runner_account(passed_on: Mapping[str, str]) -> Account:
    account = _system_account(RUNNER_USER, passed_on)
    give_subids(account.name, account.uid)
    account.make_dir(account.runtime_dir)
    return account


def _useradd(name: str) -> None:
    command = ["useradd", "--system", "--user-group", "--home-dir", f"/var/lib/{name}", "--no-create-home"]
    done = subprocess.run(
        [*command, "--shell", shutil.which("nologin") or "/bin/false", "--comment", "Skerry", name],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SetupError(f"the user {name} cannot be made: {last_line(done.stderr)}")


def _account(entry: pwd.struct_passwd, runtime_dir: Path, passed_on: Mapping[str, str]) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, Path(entry.pw_dir), runtime_dir, dict(passed_on))


def _own_runtime_dir() -> Path:
    """The caller's runtime folder: logind's if there is one, else a private one, its name short enough for sockets."""
    uid = os.geteuid()
    for path in (Path(os.environ.get("XDG_RUNTIME_DIR") or "/"), Path("/run/user") / str(uid)):
        if path.is_dir() and path.stat().st_uid == uid:
            return path
    path = Path(tempfile.gettempdir()) / f"skerry-runtime-{uid}"
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        status = path.lstat()
        if status.st_uid != uid or status.st_mode & 0o077 or path.is_symlink():
            raise SetupError(
                f"{path} is not a private folder of yours.", "Remove it, or set XDG_RUNTIME_DIR."
            ) from None
    return path


def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
