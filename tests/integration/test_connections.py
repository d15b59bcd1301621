"""Requests that wait hold no connection to the database: a crowd of them leaves a pool of four to everybody else."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests

from app import wiring
from app.services.runners.create_runner import create_runner
from tests.contract.runner_protocol.stock import StockRunner
from tests.databases import BOTH
from tests.factories import PASSWORD, make_project, make_token, make_user
from tests.support.world import World

POLLS, STREAMS, POOL = 100, 20, 4
FORM = "Content-Type: multipart/form-data; boundary=B\r\nTransfer-Encoding: chunked\r\n"
PART = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'


@pytest.fixture(autouse=True)
def small_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many connections as one hand has fingers, and whoever gets none fails soon."""
    options = wiring._engine_options

    def small(config):
        return options(config) | {"pool_size": POOL, "max_overflow": 0, "pool_timeout": 5}

    monkeypatch.setattr(wiring, "_engine_options", small)


@pytest.fixture
def world(core):
    return World(core)


@contextmanager
def half_sent(server, head: str, body: bytes) -> Iterator[None]:
    """A request that never ends."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"{head}Host: x\r\n".encode() + b"\r\n" + body)
        yield


@contextmanager
def polls(core, server, wait_for) -> Iterator[None]:
    """POLLS managers that wait for a job that never comes."""
    object.__setattr__(core.config, "poll_wait", 50)
    _, token = create_runner(core, tags=["none"], run_untagged=False)
    core.session.remove()

    def poll(number: int) -> None:
        StockRunner(server.url, token, f"s_{number}").request_job()

    threads = [threading.Thread(target=poll, args=(number,), daemon=True) for number in range(POLLS)]
    for number, thread in enumerate(threads, 1):
        thread.start()
        if number % POOL == 0:  # all at once would wait for the few connections longer than the pool lets them
            wait_for(lambda number=number: core.bus.waiting >= number)
    yield
    core.bus.stop()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def streams(url: str, cookies: requests.cookies.RequestsCookieJar) -> Iterator[None]:
    """STREAMS readers of a job's events, each of which has had its first answer."""
    readers = [requests.get(url, stream=True, cookies=cookies, timeout=60) for _ in range(STREAMS)]
    for reader in readers:
        assert reader.status_code == 200
        next(reader.iter_lines())
    yield
    for reader in readers:
        reader.close()


def timed(call: Callable[[], requests.Response]) -> tuple[int, float]:
    began = time.monotonic()
    return call().status_code, time.monotonic() - began


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_a_crowd_that_waits_leaves_the_connections_to_others(app, core, server, world, wait_for):
    from app.extensions import db

    owner = make_user(core, "owner")
    project = make_project(core, "tools/hello", creator=owner)
    _, token = make_token(core, owner)
    job_id = world.job(project).id
    url, path = server.url, project.full_path
    running = StockRunner(url, create_runner(core)[1]).take()
    session = requests.Session()
    page = session.get(f"{url}/-/sign_in", timeout=10).text
    form_token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": form_token, "username": "owner", "password": PASSWORD}
    assert session.post(f"{url}/-/sign_in", form, allow_redirects=False, timeout=10).status_code == 303
    core.session.remove()
    basic = requests.auth._basic_auth_str("owner", token)
    upload = f"POST /api/v4/jobs/{running.id}/artifacts HTTP/1.1\r\nJOB-TOKEN: {running.token}\r\n{FORM}"
    push = f"POST /{path}.git/git-receive-pack HTTP/1.1\r\nAuthorization: {basic}\r\nContent-Length: 9000\r\n"
    fetch = f"POST /{path}.git/git-upload-pack HTTP/1.1\r\nAuthorization: {basic}\r\nContent-Length: 9000\r\n"
    patch = (
        f"PATCH /api/v4/jobs/{running.id}/trace HTTP/1.1\r\nJOB-TOKEN: {running.token}\r\n"
        "Content-Range: 0-8999\r\nContent-Length: 9000\r\n"
    )
    with (
        polls(core, server, wait_for),
        streams(f"{url}/{path}/-/jobs/{job_id}/events", session.cookies),
        half_sent(server, upload, b"%x\r\n%s\r\n" % (len(PART), PART)),
        half_sent(server, push, b"0094"),
        half_sent(server, fetch, b"0032want "),
        half_sent(server, patch, b"half a line"),
    ):
        # At any moment a few of them look at the queue again instead.
        wait_for(lambda: core.bus.waiting >= (POLLS + STREAMS) * 3 // 4)
        wait_for(lambda: db.engine.pool.checkedout() == 0)
        answers = [
            timed(lambda: session.get(f"{url}/{path}/-/jobs/{job_id}", timeout=10)),
            timed(lambda: requests.get(f"{url}/api/v4/projects", headers={"PRIVATE-TOKEN": token}, timeout=10)),
            timed(lambda: running.update("running")),
        ]
    assert [status for status, _ in answers] == [200, 200, 200]
    assert max(seconds for _, seconds in answers) < 5, answers
