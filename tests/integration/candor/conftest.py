"""Two images that differ from the base image, a server with a runner, and a runner that serves pushed runs."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.runner_daemon import Daemon
from tests.integration.stack import Server, free_port, wait_until
from tests.support.object_store import ObjectStore, object_store

BASE = "localhost/skerry/base"
ONE, TWO = "localhost/skerry-test/candor-one", "localhost/skerry-test/candor-two"
TOKEN = "token-of-the-serving-runner"
PLAN: dict[str, Any] = {
    "stages": [
        {"name": "Make", "image": BASE, "script": ["pwd", "false", "mkdir -p dist", "echo %word% >dist/made.txt"]},
        {"name": "Sign", "image": ONE, "environment": ["WHO=one=1", "BARE"],
         "script": ["cat /etc/which-image", "echo $WHO $BARE ${BASH_VERSION:-sh} >>dist/made.txt"]},
        {"name": "Read", "image": TWO, "script": ["cat /etc/which-image", "cat dist/made.txt", "id -u"]},
    ],
    "archive": ["dist/made.txt"],
    "parameters": {"word": ".word"},
}  # fmt: skip


@pytest.fixture(scope="session")
def images(runner_user, base_image) -> tuple[str, str]:
    """ONE has an entrypoint that would fail, TWO another user and a command of its own."""

    def succeeds(words: list[str]) -> bool:
        return runner_user.run(words, check=False).returncode == 0

    changes = {
        ONE: ["--change", 'ENTRYPOINT ["/bin/false"]'],
        TWO: ["--change", "USER 1000", "--change", 'CMD ["sh", "-c", "echo own command in $PWD"]'],
    }
    for tag, words in changes.items():
        script = f"echo {tag.rpartition('/')[2]} >/etc/which-image"
        name = f"{tag.rpartition('/')[2]}-{os.getpid()}"
        commit = ["podman", "commit", "--quiet", "--format", "docker", *words, name, tag]
        runner_user.run(["podman", "run", "--replace", "--name", name, "--network", "none", BASE, "sh", "-c", script])
        # Podman may still be tidying up behind the container that has just ended.
        wait_until(
            f"{tag} is made", lambda commit=commit: runner_user.run(commit, check=False).returncode == 0, 20, 0.5
        )
        runner_user.run(["podman", "rm", "--force", name])
    listed = runner_user.run(["podman", "image", "inspect", "--format", "{{.Id}}", BASE, ONE, TWO]).stdout.split()
    assert len(set(listed)) == 3
    return ONE, TWO


@pytest.fixture(scope="module")
def folder(runner_user) -> Iterator[Path]:
    made = runner_user.run(["mktemp", "-d", f"{runner_user.home}/candor-XXXXXX"]).stdout.strip()
    yield Path(made)
    runner_user.run(["podman", "unshare", "rm", "-rf", made])
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory, runner_user, folder, images) -> Iterator[Server]:
    """A server with one runner."""
    server = Server(tmp_path_factory.mktemp("server") / "data")
    server.prepare()
    server.start()
    daemon = Daemon(runner_user, folder)
    daemon.register(server)
    daemon.start()
    yield server
    daemon.stop()
    server.stop()


@dataclass
class Serving:
    """`skerry-runner serve` in its own process."""

    url: str
    folder: Path

    def call(self, method: str, path: str, **given: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return requests.request(method, self.url + path, headers=headers, timeout=60, **given)

    def run(self, run_id: str, plan: Any) -> Any:
        answer = self.call("POST", "/run", json={"runId": run_id, "plan": plan})
        assert answer.status_code == 200
        return answer.json()

    def log(self, run_id: str) -> str:
        return self.call("GET", f"/logs/{run_id}").text

    def answers(self) -> bool:
        try:
            return requests.get(self.url, timeout=5).status_code == 200
        except requests.ConnectionError:
            return False


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    """Where the serving runner keeps archived files."""
    with object_store() as store:
        store.make_bucket("candor")
        yield store


@pytest.fixture(scope="module")
def serving(runner_user, folder, images, store) -> Iterator[Serving]:
    data, port = folder / "serve", free_port()
    words = [sys.executable, "-m", "runner", "serve", "--bind", f"127.0.0.1:{port}", "--data-dir", os.fspath(data)]
    environment = {"RUNNER_TOKEN": TOKEN, "RUNNER_CONTAINER_TIMEOUT": "20"} | store.environment()
    process = runner_user.popen(words, cwd=runner_user.checkout, env=environment)
    made = Serving(f"http://127.0.0.1:{port}", data)
    wait_until("the runner serves", made.answers)
    yield made
    process.terminate()
    assert process.wait(timeout=60) == 0
