"""Root types `skerry`; the server runs as somebody else. Only root can try this."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
SERVER_UID = 65534

pytestmark = [
    pytest.mark.installation,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user"),
]


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that belongs to the server's user, below folders that this user can pass.

    Not below pytest's own folder: every other run of pytest on this host would close that one again.
    """
    with tempfile.TemporaryDirectory(prefix="skerry-") as outer:
        Path(outer).chmod(0o755)
        folder = Path(outer, "data")
        folder.mkdir(mode=0o700)
        os.chown(folder, SERVER_UID, SERVER_UID)
        yield folder


def code() -> dict[str, str]:
    """Where the server's user finds the code: in this checkout, or, if it is out of reach, installed beside Python."""
    passable = all(folder.stat().st_mode & 0o001 for folder in (CHECKOUT, *CHECKOUT.parents))
    return {"PYTHONPATH": str(CHECKOUT)} if passable else {}


def skerry(data: Path | str, *words: str, cwd: Path = Path("/")) -> "subprocess.CompletedProcess[str]":
    program = "import sys; from app.cli import main; sys.argv[0] = 'skerry'; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        env=os.environ | {"SKERRY_DATA_DIR": str(data)} | code(),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in [folder, *folder.rglob("*")]}


def test_what_root_makes_with_the_command_line_belongs_to_the_servers_user(data: Path) -> None:
    for words in (["init"], ["user", "create", "admin", "--admin"], ["project", "create", "team/app"]):
        done = skerry(data, *words)
        assert done.returncode == 0, done.stderr
    assert (data / "skerry.db").exists()
    assert owners(data) == {SERVER_UID}


def test_a_link_from_where_the_servers_user_cannot_go_is_followed(data: Path, tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "data").symlink_to(data)
    done = skerry("data", "init", cwd=private)
    assert done.returncode == 0, done.stderr
    assert owners(data) == {SERVER_UID}


def test_a_data_folder_of_root_stays_roots(tmp_path: Path) -> None:
    done = skerry(tmp_path / "own", "init")
    assert done.returncode == 0, done.stderr
    assert owners(tmp_path / "own") == {0}
