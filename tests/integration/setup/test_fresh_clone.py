"""The promise of the README: a fresh clone, `make up DETACH=1`, a green pipeline. Nothing is replaced here."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
AS_ROOT = os.geteuid() == 0

pytestmark = [pytest.mark.podman, pytest.mark.timeout(600)]


class Clone:
    """A checkout of its own with its own address and data, in a folder that every user can pass."""

    def __init__(self) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="skerry-clone-"))
        self.top.chmod(0o755)
        self.checkout = self.top / "skerry"
        self._copy()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.bind = f"127.0.0.1:{probe.getsockname()[1]}"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("SKERRY_")}
        self.environment["SKERRY_BIND"] = self.bind

    def _copy(self) -> None:
        """What a clone would hold, changes that are not committed yet included."""
        listed = ["git", "-C", REPOSITORY, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, capture_output=True, check=True).stdout.decode().split("\0")
        for name in filter(None, names):
            if (REPOSITORY / name).is_file():
                (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPOSITORY / name, self.checkout / name)
        subprocess.run(["chmod", "-R", "u+rwX,go+rX,go-w", self.checkout], check=True)

    def make(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return self.run("make", *words)

    def run(self, *command: str, cwd: Path | None = None, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd=cwd or self.checkout,
            env=self.environment | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
            stdin=subprocess.DEVNULL,
        )

    def remove(self) -> None:
        self.make("down")
        sys.path.append(str(self.checkout / "contrib" / "setup"))
        from skerry_setup.settings import read_settings

        settings = read_settings({"SKERRY_BIND": self.bind}, self.checkout)
        for folder in (settings.runner_dir, settings.state_dir, self.top):
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def clone() -> Iterator[Clone]:
    made = Clone()
    try:
        done = made.make("up", "DETACH=1")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "pipeline success" in done.stdout
        yield made
    finally:
        made.remove()


def owner(clone: Clone, name: str) -> str:
    """The user that the program of a pid file runs as."""
    sys.path.append(str(clone.checkout / "contrib" / "setup"))
    import json

    from skerry_setup.settings import read_settings

    state = read_settings({"SKERRY_BIND": clone.bind}, clone.checkout).state_dir
    return Path("/proc", str(json.loads((state / f"{name}.pid").read_text())["pid"])).owner()


def test_the_programs_work_in_the_checkout(clone: Clone) -> None:
    for name in ("skerry", "skerry-runner"):
        done = clone.run(f".venv/bin/{name}", "--help")
        assert done.returncode == 0
        assert "Usage" in done.stdout


def test_a_second_up_says_that_it_runs_and_passes_again(clone: Clone) -> None:
    done = clone.make("up", "DETACH=1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "already running" in done.stdout
    assert "pipeline success" in done.stdout


def test_a_new_project_made_with_the_command_line_can_be_pushed_to(clone: Clone, tmp_path: Path) -> None:
    assert clone.run(".venv/bin/skerry", "project", "create", "team/app").returncode == 0
    token = clone.run(".venv/bin/skerry", "token", "create", "--user", "admin", "--scopes", "api").stdout.strip()
    (tmp_path / "file").write_text("content\n")
    identity = {
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    for words in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "file"),
        ("commit", "--quiet", "--message=one"),
        ("push", "--quiet", f"http://admin:{token}@{clone.bind}/team/app.git", "HEAD:main"),
    ):
        done = clone.run("git", *words, cwd=tmp_path, **identity)
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not AS_ROOT, reason="only root has two users to run the programs as")
def test_the_server_and_the_runner_are_two_users(clone: Clone) -> None:
    assert owner(clone, "server") == "skerry"
    assert owner(clone, "runner") == "skerry-runner"


@pytest.mark.skipif(not AS_ROOT, reason="only root has two users to run the programs as")
def test_the_runners_user_can_read_neither_database_nor_keys(clone: Clone) -> None:
    data = clone.checkout / "data"
    for name in ("skerry.db", "secret.key", "setup/api-token", "server.log"):
        assert (data / name).exists()
        done = subprocess.run(
            ["cat", data / name],
            user="skerry-runner",
            group="skerry-runner",
            extra_groups=[],
            capture_output=True,
            check=False,
        )
        assert done.returncode != 0
        assert b"Permission denied" in done.stderr
    everything = ["find", "/var/lib/skerry", clone.top, "-readable", "-name", "*.db*"]
    seen = subprocess.run(
        everything, user="skerry-runner", group="skerry-runner", extra_groups=[], capture_output=True, check=False
    )
    assert seen.stdout == b""


def test_down_stops_both_and_up_continues(clone: Clone) -> None:
    down = clone.make("down")
    assert "Stopped." in down.stdout
    assert "killed" not in down.stdout
    with socket.socket() as probe:
        host, _, port = clone.bind.rpartition(":")
        assert probe.connect_ex((host, int(port))) != 0
    done = clone.make("up", "DETACH=1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "password" not in done.stdout
    assert "Pushing" not in done.stdout
