"""One server and one runner for all tests of this folder, a project of its own for each.

A test that kills one of them starts it again.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.stack import Containers, Daemon, Repository, Server, working_copy


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
    name = re.sub(r"\W+", "-", request.node.name)[:60].strip("-")
    made = server.api("POST", "/projects", {"path": name})
    return working_copy(server, made["path_with_namespace"], tmp_path / "work")
