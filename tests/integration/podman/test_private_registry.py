"""Images behind a login, in Debian's docker-registry on loopback."""

import base64
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from runner.executor.base import ImagePullError, ImageRef, StageResult
from runner.executor.podman import PodmanExecutor
from runner.executor.podman_settings import PodmanSettings
from runner.executor.registry_logins import Login, parse_auth_config
from tests.integration.conftest import unavailable
from tests.integration.podman.conftest import Job
from tests.integration.podman.images import BASE, derived, podman

pytestmark = pytest.mark.podman
Start = Callable[..., Job]
USER, PASSWORD = "builder", "correct horse"
HASHED = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"


@dataclass(frozen=True)
class Registry:
    host: str
    folder: Path
    name: str = "group/private:1"

    @property
    def image(self) -> str:
        return f"{self.host}/{self.name}"

    @property
    def login(self) -> Login:
        return Login(self.host, USER, PASSWORD)

    def put_image(self, source: str) -> None:
        """Push a local image as `image`."""
        podman("push", "--quiet", "--tls-verify=false", "--creds", f"{USER}:{PASSWORD}", source, self.image)

    def forget_image(self) -> None:
        subprocess.run(["podman", "rmi", self.image], capture_output=True, check=False)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, base_image: str) -> Iterator[Registry]:
    program = shutil.which("docker-registry")
    if program is None:
        unavailable("docker-registry is not installed")
    folder = tmp_path_factory.mktemp("registry")
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "htpasswd").write_text(f"{USER}:{HASHED}\n")
    settings = {
        "version": "0.1",
        "log": {"accesslog": {"disabled": True}, "level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": host},
        "auth": {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}},
    }
    (folder / "config.yml").write_text(json.dumps(settings))
    (folder / "registries.conf").write_text(f'[[registry]]\nlocation = "{host}"\ninsecure = true\n')
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    made = Registry(host, folder)
    try:
        wait_for(host)
        private = derived("private", script="echo private >/private")
        made.put_image(private)
        podman("rmi", "--force", private)
        yield made
    finally:
        process.terminate()
        process.wait(timeout=10)


def wait_for(host: str) -> None:
    name, port = host.split(":")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((name, int(port))) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the registry does not listen")


@pytest.fixture(scope="module")
def settings(registry: Registry) -> PodmanSettings:
    everything = ("always", "if-not-present", "never")
    return PodmanSettings(grace=1.0, allowed_pull_policies=everything, private_images=registry.folder / "private.json")


@pytest.fixture
def near(registry: Registry, settings: PodmanSettings, executor: PodmanExecutor) -> Iterator[PodmanExecutor]:
    """An executor that has just started, whose Podman speaks plain HTTP with this registry."""
    os.environ["CONTAINERS_REGISTRIES_CONF"] = str(registry.folder / "registries.conf")
    made = PodmanExecutor(settings, executor.helper)
    yield made
    made.close()
    del os.environ["CONTAINERS_REGISTRIES_CONF"]
    registry.forget_image()


def test_the_jobs_login_opens_its_registry(start: Start, near: PodmanExecutor, registry: Registry) -> None:
    job = start(near, image=ImageRef(registry.image), logins=(registry.login,))
    assert job.run("echo in") == StageResult("exited", 0)
    assert b"Pulling image" in job.prepared
    assert PASSWORD.encode() not in job.prepared


def test_a_docker_auth_config_opens_it_too(start: Start, near: PodmanExecutor, registry: Registry) -> None:
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    logins = parse_auth_config(json.dumps({"auths": {f"http://{registry.host}": {"auth": pair}}}))
    job = start(near, image=ImageRef(registry.image), logins=tuple(logins))
    assert job.run("true") == StageResult("exited", 0)


@pytest.mark.parametrize("password", ["wrong", None])
def test_without_the_right_login_the_pull_fails_as_such(
    start: Start, near: PodmanExecutor, registry: Registry, password: str | None
) -> None:
    logins = (Login(registry.host, USER, password),) if password else ()
    with pytest.raises(ImagePullError) as caught:
        start(near, image=ImageRef(registry.image), logins=logins)
    assert caught.value.failure_reason == "image_pull_failure"
    assert registry.host in str(caught.value)


@pytest.mark.parametrize("policy", ["if-not-present", "always", "never"])
def test_a_private_image_that_is_here_is_not_for_jobs_without_its_login(
    start: Start, near: PodmanExecutor, registry: Registry, policy: str
) -> None:
    ref = ImageRef(registry.image, pull_policy=(policy,))
    start(near, image=replace(ref, pull_policy=("if-not-present",)), logins=(registry.login,))
    by_id = podman("image", "inspect", "--format", "{{.Id}}", registry.image).strip()
    for image in (ref, ImageRef(by_id, pull_policy=(policy,))):
        with pytest.raises(ImagePullError):
            start(near, image=image)
    again = start(near, image=ref, logins=(registry.login,))
    assert (b"Pulling" in again.prepared) == (policy == "always")


def test_an_image_that_was_here_for_all_stays_so(start: Start, near: PodmanExecutor, registry: Registry) -> None:
    other = replace(registry, name="group/base:1")
    other.put_image(BASE)
    start(near, image=ImageRef(other.image), logins=(registry.login,))
    other.forget_image()
    assert start(near, image=ImageRef(BASE)).run("true") == StageResult("exited", 0)


def test_after_a_restart_a_login_is_proven_once_more(
    start: Start, near: PodmanExecutor, registry: Registry, settings: PodmanSettings, executor: PodmanExecutor
) -> None:
    ref = ImageRef(registry.image)
    start(near, image=ref, logins=(registry.login,))
    restarted = PodmanExecutor(settings, executor.helper)
    try:
        with pytest.raises(ImagePullError):
            start(restarted, image=ref)
        first, second = (start(restarted, image=ref, logins=(registry.login,)) for _ in range(2))
        assert (b"Pulling" in first.prepared, b"Pulling" in second.prepared) == (True, False)
        for job in (first, second):
            job.environment.close()
    finally:
        restarted.close()


def test_a_password_is_in_no_argument_of_a_process(near: PodmanExecutor, registry: Registry, start: Start) -> None:
    seen: list[bytes] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.append(path.read_bytes())
                except OSError:
                    continue

    thread = threading.Thread(target=watch)
    thread.start()
    start(near, image=ImageRef(registry.image, pull_policy=("always",)), logins=(registry.login,))
    stop.set()
    thread.join()
    header = registry.login.header.encode()
    assert seen
    assert not any(b"correct horse" in line or header in line for line in seen)
