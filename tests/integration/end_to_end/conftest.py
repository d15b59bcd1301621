"""One server and one runner for all tests of this folder, a project of its own for each.

A test that kills one of them starts it again.
"""

import itertools
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.runner_daemon import Containers, Daemon
from tests.integration.stack import Repository, Server, working_copy

NUMBERS = itertools.count(1)
MAKE_IMAGE = "mkdir -p /home/app && chown 1000:1000 /home/app && mkdir /www && echo 'from the service' >/www/index.html"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server") / "data")
    server.prepare()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def runner_folder(runner_user, request) -> Iterator[Path]:
    """A folder that belongs to the runner's user."""
    made = runner_user.run(["mktemp", "-d", f"{runner_user.home}/e2e-XXXXXX"]).stdout.strip()
    yield Path(made)
    runner_user.run(["podman", "unshare", "rm", "-rf", made])
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def runner(server, runner_user, runner_folder, base_image) -> Iterator[Daemon]:
    daemon = Daemon(runner_user, runner_folder)
    daemon.register(server)
    daemon.start()
    yield daemon
    daemon.stop()


@pytest.fixture
def containers(runner_user) -> Containers:
    return Containers(runner_user)


@pytest.fixture
def repository(server, runner, tmp_path, request) -> Repository:
    """An empty project, named after the test."""
    name = re.sub(r"\W+", "-", request.node.name)[:50].strip("-")
    made = server.api("POST", "/projects", {"path": f"{name}-{next(NUMBERS)}"})
    return working_copy(server, made["path_with_namespace"], tmp_path / "work")


@pytest.fixture(scope="session")
def images(runner_user: Any, base_image: str) -> dict[str, str]:
    """Two images made from the base: `user` runs as USER 1000, `web` serves a page on its port 8080."""
    container = f"skerry-e2e-{os.getpid()}"
    names = {"user": "localhost/skerry-test/e2e-user", "web": "localhost/skerry-test/e2e-web"}
    changes = {
        "user": ("USER 1000", "WORKDIR /home/app", "ENV HOME=/home/app"),
        "web": ('CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]', "EXPOSE 8080"),
    }

    def podman(*words: str) -> None:
        runner_user.run(["podman", *words])

    podman("run", "--replace", "--name", container, "--network", "none", base_image, "sh", "-c", MAKE_IMAGE)
    for key, name in names.items():
        flags = [word for change in changes[key] for word in ("--change", change)]
        podman("commit", "--quiet", "--format", "docker", *flags, container, name)
    podman("rm", "--force", container)
    return names
