"""The pure parts of the Podman executor: settings, image policies, specifications, names."""

import logging
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from runner.executor.base import Build, ConfigurationError, ExecutorError, ImagePullError, ImageRef, ServiceRef, Stage
from runner.executor.podman import PodmanExecutor
from runner.executor.podman_api import PodmanClient, PodmanError
from runner.executor.podman_images import Image, Images, runs_on, tcp_ports
from runner.executor.podman_limits import limits
from runner.executor.podman_script import write_script
from runner.executor.podman_services import host_names
from runner.executor.podman_settings import PodmanSettings, size
from runner.executor.podman_specification import specification

NEVER = threading.Event()


class Client(PodmanClient):
    """Answers from a table of (method, path) and remembers what it was asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__(Path("/nonexistent/podman.sock"))
        self.answers = answers

    def request(self, method: str, path: str, *_arguments: Any, **_options: Any) -> Any:
        try:
            return self.answers[path]
        except KeyError:
            raise PodmanError("no such thing", 404) from None


def found(user: str = "") -> dict[str, Any]:
    return {"Id": "sha256:1", "Config": {"User": user, "ExposedPorts": {"5432/tcp": {}, "53/udp": {}}}}


@pytest.mark.parametrize(
    ("text", "bytes_"), [("", 0), ("512m", 512 << 20), ("2G", 2 << 30), ("1kb", 1024), ("77", 77), ("1b", 1)]
)
def test_sizes_are_podmans(text: str, bytes_: int) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize("text", ["-1", "1.5g", "many", "5 m m"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        size(text)


@pytest.mark.parametrize("fields", [{"pull_policy": ()}, {"pull_policy": ("maybe",)}, {"network": "host"}])
def test_settings_refuse_nonsense(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        PodmanSettings(**fields)


def test_root_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ExecutorError, match="never as root"):
        PodmanExecutor(PodmanSettings())


@pytest.mark.parametrize(
    ("runners", "allowed", "jobs", "tried"),
    [
        (("always",), (), (), ("always",)),
        (("always",), ("always", "never"), ("never",), ("never",)),
        (("always", "if-not-present"), (), ("if-not-present", "never"), ("if-not-present",)),
    ],
)
def test_the_jobs_pull_policy_counts_where_the_runner_allows_it(
    runners: tuple[str, ...], allowed: tuple[str, ...], jobs: tuple[str, ...], tried: tuple[str, ...]
) -> None:
    images = Images(Client({}), PodmanSettings(pull_policy=runners, allowed_pull_policies=allowed))
    assert images.policies(ImageRef("x", pull_policy=jobs)) == tried


def test_a_policy_that_the_runner_does_not_allow_is_refused() -> None:
    images = Images(Client({}), PodmanSettings())
    for policy in ("always", "sometimes"):
        with pytest.raises(ConfigurationError):
            images.policies(ImageRef("x", pull_policy=(policy,)))


def test_a_local_image_is_never_pulled() -> None:
    images = Images(Client({}), PodmanSettings(pull_policy=("always",)))
    assert images.policies(ImageRef("localhost/x", pull_policy=("always",))) == ("never",)
    with pytest.raises(ImagePullError, match="not on this host"):
        images.get(ImageRef("localhost/x"), (), lambda _: None, NEVER)


@pytest.mark.parametrize("name", ["", "-x", "--privileged"])
def test_what_is_no_image_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError):
        Images(Client({}), PodmanSettings()).get(ImageRef(name), (), lambda _: None, NEVER)


def test_an_image_tells_its_user_and_ports() -> None:
    client = Client({"/images/docker.io%2Fpostgres%3A15/json": found("postgres:postgres")})
    image = Images(client, PodmanSettings()).get(ImageRef("docker.io/postgres:15"), (), lambda _: None, NEVER)
    assert image == Image("docker.io/postgres:15", "sha256:1", "postgres:postgres", (5432,))
    assert not image.runs_as_root(None)
    assert image.runs_as_root("0:0")
    assert tcp_ports(None) == ()


@pytest.mark.parametrize(
    ("name", "aliases", "expected"),
    [
        ("postgres:15", ("db",), ["postgres", "db"]),
        ("registry.example.org:5000/group/web:1", (), ["registry.example.org5000__group__web",
                                                        "registry.example.org5000-group-web"]),
        ("redis@sha256:0123", ("redis", "bad name", "-x", "x" * 300), ["redis"]),
    ],
)  # fmt: skip
def test_services_have_the_names_of_their_image_and_their_aliases(
    name: str, aliases: tuple[str, ...], expected: list[str]
) -> None:
    assert host_names(ServiceRef(ImageRef(name), aliases)) == expected


def host(version: str, *controllers: str) -> Client:
    return Client({"/info": {"host": {"cgroupVersion": version, "cgroupControllers": list(controllers)}}})


def test_limits_are_set_where_they_can_be_enforced() -> None:
    settings = PodmanSettings(memory=1 << 30, cpus=1.5, pids_limit=100)
    assert limits(host("v2", "memory", "cpu", "pids"), settings) == {
        "resource_limits": {
            "memory": {"limit": 1 << 30, "swap": 1 << 30},
            "cpu": {"quota": 150_000, "period": 100_000},
            "pids": {"limit": 100},
        }
    }


def test_limits_that_cannot_be_enforced_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        spec = limits(host("v1", "memory", "cpu"), PodmanSettings(memory=1 << 30, cpus=1.5, pids_limit=100))
    assert spec == {"r_limits": [{"type": "nproc", "soft": 100, "hard": 100}]}
    assert [record.message.split()[0] for record in caplog.records] == ["`memory`", "`cpus`"]


def build(tmp_path: Path, **fields: Any) -> Build:
    values: dict[str, Any] = {
        "job_id": 1, "name": "j", "image": None, "services": (), "environment": {"A": "b"}, "workspace": tmp_path / "w",
        "project_dir": "/builds/p", "control": tmp_path, "control_dir": "/builds/p.tmp",
        "read_only_mounts": {tmp_path / "git": "/skerry/git"}, "labels": {"skerry.job": "1"}, "timeout": 1.0,
    }  # fmt: skip
    return Build(**values | fields)


def test_a_container_gets_nothing_of_the_host_but_its_own_folders(tmp_path: Path) -> None:
    spec = specification(build(tmp_path), "sha256:1", ImageRef("x", ("",), user="1000"), "name")
    assert {mount["destination"]: mount["options"][0] for mount in spec["mounts"]} == {
        "/builds/p": "rw", "/builds/p.tmp": "rw", "/skerry/git": "ro",
    }  # fmt: skip
    assert spec["cap_drop"] == ["ALL"]
    assert spec["no_new_privileges"] is True
    assert spec["init"] is True
    assert spec["entrypoint"] == [""]
    assert spec["user"] == "1000"
    assert not {"privileged", "devices", "pidns", "ipcns", "utsns", "cgroupns", "netns", "volumes"} & set(spec)
    for dangerous in ("SYS_ADMIN", "NET_ADMIN", "NET_RAW", "SYS_PTRACE", "MKNOD", "SYS_MODULE", "SETPCAP"):
        assert dangerous not in spec["cap_add"]


def test_a_script_is_written_whatever_lies_in_the_folder(tmp_path: Path) -> None:
    stage = Stage("s", "echo ü\n", 1.0, {"KEY": "it's $x", "not a name": "x", "A;id": "x"})
    name = write_script(tmp_path, "/builds/it's", stage)
    assert (tmp_path / name).read_text() == (
        "cd '/builds/it'\"'\"'s' 2>/dev/null\nexport KEY='it'\"'\"'s $x'\necho ü\n"
    )
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o644
    assert write_script(tmp_path, "/builds/p", stage) != name


def test_a_script_is_not_written_through_a_folder_that_became_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "control").symlink_to(tmp_path / "real")
    with pytest.raises(ExecutorError):
        write_script(tmp_path / "control", "/builds/p", Stage("s", "true", 1.0))


@pytest.mark.parametrize(
    ("platform", "wanted", "fits"),
    [
        ("linux/amd64", None, True),
        ("linux/amd64", "linux/amd64", True),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm/v7", "linux/arm/v6", False),
        ("linux/arm64", "linux/arm", False),
        ("linux/amd64", "Linux/AMD64", True),
    ],
)
def test_an_image_fits_a_platform(platform: str, wanted: str | None, fits: bool) -> None:
    assert runs_on(platform, wanted) == fits
