"""The same under `skerry serve`, whose server reads bodies and closes connections in its own way."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from app.models import Pipeline, Push
from app.services.core import Core
from tests.conftest import LiveServer
from tests.factories import make_project, make_token, make_user
from tests.git_client import Checkout, clone, new_checkout

ROOT = Path(__file__).parents[3]
PUSH_LIMIT = 12 * 1024 * 1024


@pytest.fixture
def served(core: Core) -> Iterator[LiveServer]:
    """`skerry serve` in a process of its own, on the data of `core`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{free.getsockname()[1]}"
    core.session.rollback()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "SKERRY_DATA_DIR": str(core.data_dir),
            "SKERRY_DATABASE_URL": core.config.database_url,
            "SKERRY_BIND": bind,
            "SKERRY_PUSH_LIMIT": str(PUSH_LIMIT),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://{bind}"
        _wait_until_ready(url, process)
        yield LiveServer(url, process.terminate)
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "skerry serve ended"
        try:
            if requests.get(f"{url}/-/health", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError("skerry serve did not start")


@pytest.fixture
def checkout(core: Core, served: LiveServer, tmp_path: Path) -> Checkout:
    owner = make_user(core, "owner")
    make_project(core, "tools/hello", creator=owner)
    token = make_token(core, owner)[1]
    return new_checkout(tmp_path / "checkout", served.clone_url("tools/hello", "owner", token))


def test_large_pushes_and_clones_pass_and_too_large_ones_are_told_so(
    core: Core, served: LiveServer, checkout: Checkout, tmp_path: Path
) -> None:
    noise = os.urandom(8 * 1024 * 1024)
    checkout.commit({"noise": noise})
    pushed = checkout.push("main")
    assert pushed.ok, pushed.text
    assert f"remote: Pipeline for main: {served.url}/tools/hello/-/pipelines/1" in pushed.text
    copy = clone(tmp_path / "copy", checkout.git("remote", "get-url", "origin"))
    assert (copy.folder / "noise").read_bytes() == noise
    checkout.commit({"noise": os.urandom(PUSH_LIMIT + 1024 * 1024)})
    for buffer in ("1000000", "100000000"):  # in chunks, and with its length told beforehand
        refused = checkout.try_git("-c", f"http.postBuffer={buffer}", "push", "origin", "main")
        assert not refused.ok
    checkout.git("reset", "--quiet", "--hard", "HEAD~1")
    checkout.commit({"small": "1"})
    assert checkout.push("main").ok
    core.session.rollback()
    assert len(core.session.scalars(select(Pipeline)).all()) == 2
    assert all(push.finished_at for push in core.session.scalars(select(Push)))


def test_a_clone_that_is_given_up_leaves_no_git_behind(core: Core, served: LiveServer, checkout: Checkout) -> None:
    checkout.commit({"noise": os.urandom(10 * 1024 * 1024)})
    assert checkout.push("main").ok
    url = checkout.git("remote", "get-url", "origin")
    head = checkout.git("rev-parse", "HEAD")
    want = f"want {head} no-progress\n".encode()
    body = b"%04x" % (len(want) + 4) + want + b"00000009done\n"
    with requests.post(f"{url}/git-upload-pack", data=body, stream=True, timeout=30) as answer:
        assert answer.raw.read(100)
    folder = str(core.repositories.path(1))
    deadline = time.monotonic() + 10
    while _processes_on(folder):
        assert time.monotonic() < deadline, "git upload-pack outlives its client"
        time.sleep(0.05)


def _processes_on(folder: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode("utf-8", "replace").split("\0")
        except OSError:
            continue
        if "upload-pack" in " ".join(words[:2]) and folder in words:
            found.append(path.parts[2])
    return found
