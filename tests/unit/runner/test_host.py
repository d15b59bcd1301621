"""The choice of Podman settings, without Podman."""

import tomllib
from pathlib import Path

import pytest

from runner import host
from runner.host import HostChoice


def test_the_first_candidate_that_runs_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    candidates = [HostChoice("crun", "overlay", "systemd"), HostChoice("runc", "overlay", "cgroupfs")]
    monkeypatch.setattr(host, "candidates", lambda: iter(candidates))
    monkeypatch.setattr(host, "static_busybox", lambda: Path("/bin/busybox"))
    monkeypatch.setattr(host, "runs", lambda choice, _busybox: "" if choice.runtime == "runc" else "refused")
    assert host.choose() == candidates[1]


def test_without_a_way_to_try_the_likeliest_is_chosen_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "static_busybox", lambda: None)
    assert host.choose().tried is False


def test_hybrid_cgroups_prefer_runc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(host, "systemd_session", lambda: False)
    for hybrid, first in ((True, "runc"), (False, "crun")):
        monkeypatch.setattr(host, "hybrid_cgroups", lambda hybrid=hybrid: hybrid)
        assert next(iter(host.candidates())).runtime == first


def test_files_are_written_only_where_they_are_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "choose", lambda: HostChoice("runc", "overlay", "cgroupfs", "/usr/bin/fuse-overlayfs"))
    folder = tmp_path / ".config/containers"
    folder.mkdir(parents=True)
    (folder / "storage.conf").write_text("mine")
    assert host.write_user_configuration(tmp_path) is not None
    assert (folder / "storage.conf").read_text() == "mine"
    assert 'runtime = "runc"' in (folder / "containers.conf").read_text()
    (folder / "containers.conf").write_text("mine too")
    assert host.write_user_configuration(tmp_path) is None
    assert (folder / "containers.conf").read_text() == "mine too"


def test_a_home_below_var_lib_keeps_its_networks_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert "/run/user/7/containers" in host.bridges_need(Path("/var/lib/skerry-runner"))
    assert host.bridges_need(Path("/home/me")) == ""


def test_networks_move_also_where_podman_is_configured_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    monkeypatch.setattr(Path, "is_relative_to", lambda *_: True)
    folder = tmp_path / ".config/containers"
    folder.mkdir(parents=True)
    for name in ("containers.conf", "storage.conf"):
        (folder / name).write_text("# mine\n")
    assert host.write_user_configuration(tmp_path) is None
    written = folder / "containers.conf.d" / "skerry-networks.conf"
    assert tomllib.loads(written.read_text()) == {
        "network": {"network_config_dir": "/run/user/7/containers/skerry-networks"}
    }
    assert host.bridges_need(tmp_path) == "", "asked again, nothing is missing"


def test_a_users_own_place_for_networks_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    monkeypatch.setattr(Path, "is_relative_to", lambda *_: True)
    folder = tmp_path / ".config/containers"
    folder.mkdir(parents=True)
    (folder / "containers.conf").write_text('[network]\nnetwork_config_dir = "/srv/networks"\n')
    host.write_network_configuration(tmp_path)
    assert not (folder / "containers.conf.d").exists()
