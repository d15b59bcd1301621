"""The server as it is started for real: killed, stopped, crowded, cut off."""

import socket
import subprocess
import sys
import threading
import time

import pytest
import requests
from sqlalchemy import select

from app import crypto
from app.models import Job, Pipeline
from app.services.runners.create_runner import create_runner
from tests.contract.runner_protocol.stock import StockRunner
from tests.factories import make_project, make_token, make_user
from tests.git_client import new_checkout
from tests.support.served import ROOT, Served
from tests.support.world import plan


def trace(core, job_id):
    with core.traces.open(job_id) as file:
        return file.read()


def send_until_done(job, data, piece, kill_at=None, kill=None):
    """Send `data` as a runner does: on any error again, from where the server says. Kill the server on the way."""
    offset = 0
    while offset < len(data):
        if kill and offset >= kill_at:
            threading.Thread(target=kill).start()
            kill = None
        try:
            answer = job.patch(offset, data[offset : offset + piece])
        except requests.RequestException:
            time.sleep(0.1)
            continue
        assert answer.status_code in (202, 416), answer.text
        offset = int(answer.headers["Range"].partition("-")[2])


def test_a_server_killed_in_mid_trace_loses_nothing(core, served, stock, world):
    world.job()
    job = stock.take()
    job.update("running")
    data = b"".join(b"line %d\n" % number for number in range(200_000))

    def restart():
        served.kill()
        served.start()

    send_until_done(job, data, 20_000, kill_at=400_000, kill=restart)
    assert job.finish(data=data).status_code == 200
    assert trace(core, job.id) == data
    core.session.rollback()
    assert core.session.get(Job, job.id).status == "success"


def test_sigterm_answers_all_parked_polls_at_once(core, served, world):
    answers = []
    _, token = create_runner(core)
    threads = [
        threading.Thread(target=lambda n=n: answers.append(StockRunner(served.url, token, f"s_{n}").request_job()))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    assert answers == []
    assert served.stop() < 8
    for thread in threads:
        thread.join(10)
    assert [answer.status_code for answer in answers] == [204] * 20


class TestCrowd:
    @pytest.fixture
    def served_settings(self):
        return {"threads": 24, "max_waiting": 12}

    def test_polls_beyond_the_cap_leave_room_for_everybody_else(self, core, served, stock, world, tmp_path):
        owner = make_user(core, "owner")
        make_project(core, "tools/hello", creator=owner)
        url = served.url.replace("://", f"://owner:{make_token(core, owner)[1]}@") + "/tools/hello.git"
        checkout = new_checkout(tmp_path / "checkout", url)
        world.job()
        job = stock.take()
        _, token = create_runner(core, tags=["other"], run_untagged=False)
        stop = threading.Event()

        def poll(number):
            runner = StockRunner(served.url, token, f"s_{number}")
            while not stop.is_set():
                try:
                    runner.request_job()
                except requests.RequestException:
                    return
                stop.wait(0.2)

        threads = [threading.Thread(target=poll, args=(number,), daemon=True) for number in range(20)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        seconds = {
            "page": timed(lambda: requests.get(f"{served.url}/-/sign_in", timeout=10).raise_for_status()),
            "patch": timed(lambda: job.print(b"still heard")),
            "push": timed(lambda: checkout.git("push", "--quiet", url, "HEAD:refs/heads/topic")),
        }
        stop.set()
        assert max(seconds.values()) < 3, seconds
        (made,) = core.session.scalars(select(Pipeline).where(Pipeline.ref == "topic"))
        assert made.status == "pending"


def timed(act):
    """How many seconds it takes."""
    started = time.monotonic()
    act()
    return time.monotonic() - started


def test_a_parked_runner_gets_its_job_by_the_tick_alone(core, served, stock, world):
    """This process announces nothing to the server's bus, as when a notice is lost."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(stock.request_job()))
    thread.start()
    time.sleep(1)
    job = world.job()
    thread.join(10)
    assert (answers[0].status_code, answers[0].json()["id"]) == (201, job.id)


PART = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'


#: Headers and body of uploads that end too early.
CUT_OFF = (
    (b"Transfer-Encoding: chunked\r\n", b"%x\r\n%s\r\n" % (len(PART), PART)),
    (b"Transfer-Encoding: chunked\r\n", b"%x\r\n%s\r\nfffff\r\nhalf a chunk" % (len(PART), PART)),
    (b"Transfer-Encoding: chunked\r\n", b"not hex\r\n"),
    (b"Content-Length: 100000\r\n", PART + b"x" * 5000),
)


def test_an_upload_that_is_cut_off_leaves_nothing(core, served, stock, world):
    for number, (headers, body) in enumerate(CUT_OFF, start=1):
        world.job()
        job = stock.take()
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
            head = f"POST /api/v4/jobs/{job.id}/artifacts HTTP/1.1\r\nHost: x\r\nJOB-TOKEN: {job.token}\r\n"
            form = b"Content-Type: multipart/form-data; boundary=B\r\n"
            connection.sendall(head.encode() + form + headers + b"\r\n" + body)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.makefile("rb").read()
        assert answer == b"" or answer.split()[1] == b"400"
        assert job.upload(b"whole").status_code == 201
        files = [path for path in (core.data_dir / "artifacts").rglob("*") if path.is_file()]
        assert len(files) == number, headers


def test_background_work_starts_by_itself(core, served, world):
    pipeline = world.pipeline(jobs=[plan("later", when="delayed", start_in=1)])
    until = time.monotonic() + 15
    while world.statuses(pipeline)["later"] != "pending" and time.monotonic() < until:
        time.sleep(0.2)
    assert world.statuses(pipeline)["later"] == "pending"


def test_no_token_reaches_the_log(served, stock):
    requests.get(f"{served.url}/api/v4/user?private_token=glpat-secret-secret", timeout=10)
    stock.verify()
    served.stop()
    text = served.log.read_text()
    assert '"path": "/api/v4/user"' in text
    assert "glpat-secret" not in text
    assert stock.token not in text


def test_an_address_in_use_is_said_in_one_line(core, data_dir, database, served):
    other = Served(data_dir, database)
    environment = other.environment | {"SKERRY_BIND": f"127.0.0.1:{served.port}"}
    done = subprocess.run(
        [sys.executable, "-m", "app", "serve"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert (
        done.stderr.strip() == f"skerry: SKERRY_BIND: cannot listen on 127.0.0.1:{served.port}: Address already in use"
    )


def test_a_database_that_init_has_not_prepared_ends_the_server_with_one_sentence(tmp_path):
    crypto.create_key_file(tmp_path / "secret.key")
    fresh = Served(tmp_path, f"sqlite:///{tmp_path / 'skerry.db'}")
    done = subprocess.run(
        [sys.executable, "-m", "app", "serve"],
        cwd=ROOT,
        env=fresh.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert said == ["skerry: the database is not ready for this version: run `skerry init` (it keeps all data)"]
