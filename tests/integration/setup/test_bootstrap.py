"""bootstrap.sh on machines that lack things: an empty PATH is such a machine."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.installation

REPOSITORY = Path(__file__).resolve().parents[3]
NOBODY = 65534
# What bootstrap.sh itself calls; a bare machine has all of it.
TOOLS = ("sh", "dirname", "id", "mktemp", "rm", "tail")


@pytest.fixture
def machine() -> Iterator[Path]:
    """A folder that every user can read, with the set-up and a bin/ that is all there is on PATH."""
    folder = Path(tempfile.mkdtemp(prefix="skerry-bare-"))
    folder.chmod(0o755)
    shutil.copytree(REPOSITORY / "contrib" / "setup", folder / "setup")
    (folder / "bin").mkdir()
    for name in TOOLS:
        (folder / "bin" / name).symlink_to(shutil.which(name) or name)
    subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
    yield folder
    shutil.rmtree(folder)


def bootstrap(machine: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs it as an ordinary user, with only the machine's own programs and no system Python by absolute path."""
    script = machine / "setup" / "bootstrap.sh"
    text = script.read_text()
    for present, absent in ((" /usr/bin/", " /absent/"), (" /usr/local/bin/", " /absent/"), (":/usr/sbin:/sbin", "")):
        assert present in text
        text = text.replace(present, absent)
    script.write_text(text)
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    return subprocess.run(
        [shutil.which("sh") or "sh", script, *arguments],
        env={"PATH": str(machine / "bin")},
        cwd=machine,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **user,
    )


def test_an_ordinary_user_without_python_gets_one_line_with_all_that_is_missing(machine: Path) -> None:
    done = bootstrap(machine, "up")
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "sudo apt-get install -y python3 python3-venv git podman runc uidmap slirp4netns" in line
    assert line.count("slirp4netns") == 1


def test_packages_that_are_there_are_not_named(machine: Path) -> None:
    for name in ("podman", "crun", "pasta", "slirp4netns"):
        (machine / "bin" / name).symlink_to("/bin/true")
    words = bootstrap(machine, "up").stderr.split()
    assert "git" in words
    assert not {"podman", "runc", "crun", "slirp4netns", "passt"} & set(words)


def test_a_python_that_is_too_old_or_has_no_venv_is_passed_over(machine: Path) -> None:
    python = machine / "bin" / "python3"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    newer = machine / "bin" / "python3.13"
    newer.write_text('#!/bin/sh\nlast=""; for word; do last="$word"; done\necho "ran $last"\n')
    newer.chmod(0o755)
    done = bootstrap(machine, "down")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "ran down\n"


def test_the_hand_over_reads_no_standard_input(machine: Path) -> None:
    python = machine / "bin" / "python3"
    python.write_text("#!/bin/sh\ncase $* in *check_python*) exit 0;; esac\nread -r line && echo got it\nexit 7\n")
    python.chmod(0o755)
    done = bootstrap(machine, "up")
    assert (done.returncode, done.stdout) == (7, "")
