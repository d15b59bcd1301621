"""A repository on disk, workspaces beside it, and the same repository behind HTTP."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.workspace.local import LocalWorkspace, LocalWorkspaces
from tests.unit.runner.workspace.upstream import GitServer, Upstream, make_upstream


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return make_upstream(tmp_path / "upstream")


@pytest.fixture
def workspaces(tmp_path: Path) -> Iterator[LocalWorkspaces]:
    made = LocalWorkspaces(tmp_path / "root", tmp_path / "caches", git_settings={"protocol.file.allow": "always"})
    yield made
    made.close()


@pytest.fixture
def workspace(workspaces: LocalWorkspaces) -> LocalWorkspace:
    return workspaces.create(1, 1, "group/project", 0)


@pytest.fixture
def serve(request: pytest.FixtureRequest) -> Iterator[type[GitServer]]:
    """Call it with a folder to serve that folder."""
    servers: list[GitServer] = []

    def start(root: Path, locked: bool = True) -> GitServer:
        server = GitServer(root, locked)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers.append(server)
        return server

    yield start  # type: ignore[misc]
    for server in servers:
        server.shutdown()
        server.server_close()
