"""Missing packages: installed by root, named in one line to everybody else."""

import os
from pathlib import Path

import pytest
from skerry_setup import packages
from skerry_setup.packages import Need, ensure_packages, read_needs
from skerry_setup.ui import SetupError

LIST = """\
# a comment
base  there           there
base  gone,also-gone  gone,gone-old
extra nicety          nicety
test  browser         browser
"""


def program(folder: Path, name: str, text: str = "exit 0") -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of its own: PATH holds one program, and apt is a script that writes down what it was asked."""
    monkeypatch.setattr(packages, "LIST", tmp_path / "packages.txt")
    packages.LIST.write_text(LIST)
    monkeypatch.setattr(packages, "POLICY", tmp_path / "policy-rc.d")
    folder = tmp_path / "bin"
    folder.mkdir()
    program(folder, "there")
    program(folder, "apt-cache", 'case "$*" in *gone-old) echo Package: gone-old;; esac')
    monkeypatch.setenv("PATH", str(folder))
    return folder


def with_apt(host: Path, installs: str = "") -> Path:
    log = host.parent / "apt.log"
    program(host, "apt-get", f'echo "$*" >> {log}\n[ "$1" = install ] || exit 0\n{installs}')
    return log


def test_the_list_that_ships_has_the_packages_of_rootless_podman() -> None:
    names = {name for need in read_needs({"base", "extra"}) for name in need.packages}
    assert {"git", "podman", "uidmap", "slirp4netns", "catatonit", "busybox-static", "netavark"} <= names


def test_any_probe_is_enough() -> None:
    assert Need("base", ("surely-not-there", "sh"), ("x",)).is_met()
    assert not Need("base", ("surely-not-there", "/surely/not/there"), ("x",)).is_met()


def test_an_ordinary_user_is_told_in_one_line_what_to_install(host: Path) -> None:
    log = with_apt(host)
    with pytest.raises(SetupError) as caught:
        ensure_packages(False, {"base", "extra"})
    assert "sudo apt-get install -y gone nicety," in str(caught.value)
    assert "there" not in str(caught.value)
    assert "browser" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not log.exists()


def test_root_installs_what_the_release_has(host: Path) -> None:
    log = with_apt(host, f"cp {host}/there {host}/gone".replace("cp", "/bin/cp"))
    ensure_packages(True, {"base", "extra"})
    update, install = log.read_text().splitlines()
    assert update.startswith("update")
    assert install.startswith("install")
    assert install.endswith("--no-install-recommends gone-old")


def test_nothing_is_asked_of_apt_when_nothing_is_missing(host: Path) -> None:
    log = with_apt(host)
    program(host, "gone")
    program(host, "nicety")
    ensure_packages(True, {"base", "extra"})
    assert not log.exists()


def test_services_that_debian_would_start_stay_off_and_the_rule_is_gone_afterwards(host: Path) -> None:
    seen = host.parent / "seen"
    with_apt(host, f"/bin/cp {packages.POLICY} {seen}; /bin/cp {host}/there {host}/gone")
    ensure_packages(True, {"base"})
    assert "exit 101" in seen.read_text()
    assert not packages.POLICY.exists()


def test_a_rule_that_was_there_before_is_left_alone(host: Path) -> None:
    with_apt(host, f"/bin/cp {host}/there {host}/gone")
    packages.POLICY.write_text("theirs")
    ensure_packages(True, {"base"})
    assert packages.POLICY.read_text() == "theirs"


def test_what_apt_complains_about_is_passed_on(host: Path) -> None:
    with_apt(host, 'echo "E: Unable to locate package gone-old"; exit 100')
    with pytest.raises(SetupError, match="E: Unable to locate package gone-old"):
        ensure_packages(True, {"base"})


def test_what_is_only_better_to_have_stops_nobody(host: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program(host, "gone")
    ensure_packages(False, {"base", "extra"})
    assert "nicety is not installed" in capsys.readouterr().out


def test_root_is_told_what_could_not_be_installed(host: Path) -> None:
    with_apt(host)
    with pytest.raises(SetupError, match="apt-get install -y gone,"):
        ensure_packages(True, {"base"})


def test_without_apt_the_packages_are_still_named(host: Path) -> None:
    assert not (host / "apt-get").exists()
    with pytest.raises(SetupError, match=r"package manager, gone"):
        ensure_packages(os.geteuid() == 0, {"base"})
