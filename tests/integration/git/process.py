"""A server in a process of its own on the data of the test, which dies at a point or has a small disk (`serve`)."""

import os
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.services.core import Core

ROOT = Path(__file__).parents[3]
#: In front of a server that mounts something: nobody else sees it, and it is gone with the server.
ALONE = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]


@contextmanager
def serving(core: Core, point: str, wrapper: Sequence[str] = ()) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A server on the same data that dies at `point`; its address and process."""
    environment = {
        "PATH": os.environ["PATH"],
        "SKERRY_DATA_DIR": str(core.data_dir),
        "SKERRY_DATABASE_URL": core.config.database_url,
    }
    core.session.rollback()
    process = subprocess.Popen(
        [*wrapper, sys.executable, "-m", "tests.integration.git.serve", point],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    try:
        ready, _, _ = select.select([process.stdout], [], [], 60)
        address = process.stdout.readline().strip() if ready else ""
        assert address, "the server did not start"
        yield address, process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
