"""A server in a process of its own that can be killed, or dies by itself at a point that the test names.

Run as `python -m tests.integration.git.serve POINT`, with its settings in SKERRY_*; prints its address once it
listens. Points:
`never`; `before-git`: after the journal, before git; `after-git`: when git has moved the refs; `inside-write`: in the
transaction that makes the pipelines; `small-disk`: never, but on a disk of a few MB for repositories;
`small-storage`: the same for logs, and for artifacts.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from werkzeug.serving import make_server

from app import create_app
from app.api.git_http import push
from app.services.repositories import receive_push

SMALL = 6 * 1024 * 1024


def die(*_: Any, **__: Any) -> NoReturn:
    """As `kill -9` would have it."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def arrange(point: str) -> None:
    if point == "before-git":
        push.ReceivePack = die  # type: ignore[assignment,misc]
    elif point == "after-git":
        push.finish_push = die
    elif point == "inside-write":
        receive_push.insert_pipeline = die
    elif point == "small-disk":
        shrink("repositories")
    elif point == "small-storage":
        shrink("traces")
        shrink("artifacts")


def shrink(name: str) -> None:
    """Put a folder of the data on a small disk of its own."""
    folder = Path(os.environ["SKERRY_DATA_DIR"]) / name
    folder.mkdir(exist_ok=True)
    keep = folder.rename(folder.with_name(f"{name}.below"))
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)], check=True)
    subprocess.run(["cp", "-a", f"{keep}/.", str(folder)], check=True)


def main() -> None:
    arrange(sys.argv[1])
    server = make_server("127.0.0.1", 0, create_app(), threaded=True)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
