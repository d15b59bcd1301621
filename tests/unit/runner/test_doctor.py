"""The doctor: it tells what is wrong and how to mend it, and never falls over itself."""

import os
from pathlib import Path

import pytest

from runner import doctor, doctor_base, doctor_podman
from runner.doctor_base import Check


def test_what_is_wrong_has_a_mend_of_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor_base.shutil, "which", lambda *_arguments, **_options: None)
    monkeypatch.setattr(doctor, "id_count", lambda *_arguments: 0)
    monkeypatch.setattr(os, "access", lambda *_arguments: False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    checks = {check.name: check for check in doctor.run_checks()}
    wrong = {name for name, check in checks.items() if not check.ok}
    assert wrong >= {"podman", "programs", "subordinate ids", "devices", "XDG_RUNTIME_DIR", "network"}
    for name in wrong:
        assert checks[name].mend
        assert "\n" not in checks[name].mend
    assert "podman info" not in checks


def test_a_check_that_breaks_is_a_finding() -> None:
    def broken_check() -> Check:
        raise OSError("no disk")

    assert doctor_base.guarded(broken_check)() == Check("broken check", False, "no disk", "see the message")


def test_ids_are_counted_by_name_and_by_number(tmp_path: Path) -> None:
    file = tmp_path / "subuid"
    file.write_text("a:100000:1000\nb:200000:65536\n1001:300000:500\nbroken\na:x:y\n")
    assert doctor.id_count(file, "a", "1001") == 1500
    assert doctor.id_count(tmp_path / "absent", "a", "1") == 0


@pytest.mark.parametrize(
    ("status", "ok"),
    [
        ("CapBnd:\t000001ffffffffff\nNoNewPrivs:\t0\n", True),
        ("CapBnd:\t000001ffffffffff\nNoNewPrivs:\t1\n", False),
        ("CapBnd:\t0000000000000000\nNoNewPrivs:\t0\n", False),
    ],
)
def test_rights_that_were_taken_away_are_seen(status: str, ok: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda _path: status)
    check = doctor.process_rights()
    assert check.ok == ok
    assert bool(check.mend) != ok


@pytest.mark.parametrize(("driver", "ok"), [("overlay", True), ("vfs", False)])
def test_vfs_is_a_finding(driver: str, ok: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_podman, "information", lambda: {"store": {"graphDriverName": driver, "graphRoot": "/x"}})
    assert doctor_podman.storage_driver().ok == ok


def test_a_runtime_that_fails_is_named_with_one_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    from runner.host import HostChoice

    host = {
        "ociRuntime": {"name": "crun", "version": "crun version 1.8.1"},
        "cgroupVersion": "v1",
        "cgroupManager": "x",
    }
    monkeypatch.setattr(doctor_podman, "information", lambda: {"host": host})
    monkeypatch.setattr(doctor_podman, "trial", lambda: "cgroups in hybrid mode not supported")
    monkeypatch.setattr(doctor_podman, "choose", lambda: HostChoice("runc", "overlay", "cgroupfs"))
    check = doctor_podman.runtime()
    assert not check.ok
    assert check.detail == "crun: cgroups in hybrid mode not supported"
    assert check.mend == 'in containers.conf [engine]: runtime = "runc", cgroup_manager = "cgroupfs"'


def test_bridges_that_cannot_work_are_mended_at_their_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_podman, "bridges_need", lambda _home: "[network]")
    assert "runner.host" in doctor_podman.bridges_mend()
    monkeypatch.setattr(doctor_podman, "bridges_need", lambda _home: "")
    assert "iptables" in doctor_podman.bridges_mend()
