"""A whole installation to measure: server, runner, base image, and the runner's user, whose Podman the limits are
taken with.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.runner_account import RunnerUser, ready_base_image, ready_user
from tests.integration.runner_daemon import Daemon
from tests.integration.stack import Server


@dataclass(frozen=True, slots=True)
class Place:
    """Where benchmarks run. `folder` is for working copies."""

    server: Server
    runner: Daemon
    user: RunnerUser
    folder: Path
    image: str


@contextmanager
def installed() -> Iterator[Place]:
    """Start everything in temporary folders; stop and remove it at the end."""
    user = ready_user()
    image = ready_base_image()
    made = user.run(["mktemp", "-d", f"{user.home}/bench-XXXXXX"]).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data")
        server.prepare()
        server.start()
        runner = Daemon(user, Path(made))
        try:
            runner.register(server, concurrent=4)
            runner.start()
            yield Place(server, runner, user, Path(folder), image)
        finally:
            runner.stop()
            server.stop()
            user.run(["podman", "unshare", "rm", "-rf", made])
