"""Runners that wait: how soon one is handed a job, and what a thousand of them cost the others.

200 runners wait in long polls, each with a tag of its own, so that exactly one fits the job that a retry makes pending;
measured by one clock, to the first byte at the runner: from the time that the job's row says it is pending since, and
from just before the request that makes it pending, which is the way of somebody's click. Then 1,000 are parked, and
somebody else asks for a page: against the same requests before anybody waited, and the memory against that of the idle
server. Noise: what else the machine has to do.
"""

import json
import socket
import time

from sqlalchemy import func, select

from app.models import Job, RunnerManager
from bench.bed import SQLITE, Bed, bed, kinds, memory
from bench.place import Place
from bench.table import MEMORY, Row, percentile
from tests.factories import make_job, make_pipeline, make_project, make_runner

ALONE = True
"""Needs no installation."""

WAITING, PARKED = 200, 1_000
HANDED, ASKED = 60, 150


def run(place: Place | None) -> list[Row]:
    """Four rows for each database, three for what parked polls cost."""
    return [row for kind in kinds() for row in _handed(kind)] + _parked()


def _handed(kind: str) -> list[Row]:
    with bed(kind, threads=WAITING + 64, max_waiting=WAITING + 16) as made:
        runners = [make_runner(made.core, tags=[f"only-{n}"], run_untagged=False)[1] for n in range(WAITING)]
        project = make_project(made.core, "bench/polls")
        run = make_pipeline(made.core, project)
        jobs = [make_job(made.core, run, tags=[f"only-{n}"], status="manual", when="manual").id for n in range(WAITING)]
        polls = [_Poll(made, token) for token in runners]
        _wait_until_parked(made, WAITING)
        samples = [_hand(made, polls[n], jobs[n], project.id) for n in range(0, WAITING, WAITING // HANDED)]
        for poll in polls:
            poll.close()
    since_pending, since_asked = [one for one, _ in samples], [one for _, one in samples]
    what = f"pending → handed to a waiting runner, {WAITING} waiting, {kind}"
    asked = f"request that makes it pending → handed, {WAITING} waiting, {kind}"
    return [
        Row(what, since_pending, "–", (), "p50 20 ms"),
        Row(f"{what}: p99", [percentile(since_pending, 99)], "–", (), "p99 100 ms"),
        Row(asked, since_asked, "–", (), "–"),
        Row(f"{asked}: p99", [percentile(since_asked, 99)], "–", (), "–"),
    ]


class _Poll:
    """One runner's long poll, sent and not yet answered."""

    def __init__(self, made: Bed, token: str, system_id: str = "s_0") -> None:
        body = json.dumps({"token": token, "system_id": system_id, "info": {"features": {}}}).encode()
        head = "POST /api/v4/jobs/request HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        self._socket = socket.create_connection(made.address)
        self._socket.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def answered(self, seconds: float) -> bytes:
        """The first bytes of the answer."""
        self._socket.settimeout(seconds)
        return self._socket.recv(4096)

    def close(self) -> None:
        self._socket.close()


def _hand(made: Bed, poll: _Poll, job_id: int, project_id: int) -> tuple[float, float]:
    """Seconds until the runner has its job: since it is pending, and since somebody asked for that."""
    connection = made.connect()
    connection.connect()
    path = f"/api/v4/projects/{project_id}/jobs/{job_id}/play?private_token={made.token}"
    begun = time.perf_counter()
    connection.request("POST", path)
    answer = poll.answered(10)
    at, taken = made.core.now(), time.perf_counter() - begun
    if connection.getresponse().status != 200 or not answer.startswith(b"HTTP/1.1 201"):
        raise RuntimeError(f"the runner was not handed its job: {answer[:80]!r}")
    connection.close()
    made.core.session.rollback()
    pending_at = made.core.session.scalars(select(Job.queued_at).where(Job.id == job_id)).one()
    if pending_at is None:
        raise RuntimeError("the job was never pending")
    return (at - pending_at).total_seconds(), taken


def _parked() -> list[Row]:
    with bed(SQLITE, threads=PARKED + 64, max_waiting=PARKED + 16) as made:
        tokens = [make_runner(made.core, tags=[f"never-{n}"], run_untagged=False)[1] for n in range(10)]
        make_project(made.core, "bench/page", visibility="public")
        idle, alone = _look(made)
        polls = [_Poll(made, tokens[n % len(tokens)], f"s_{n}") for n in range(PARKED)]
        _wait_until_parked(made, PARKED)
        busy, beside = _look(made)
        for poll in polls:
            poll.close()
    what = f"{PARKED:,} runners parked in long polls"
    return [
        Row(f"{what}: memory", [busy], "idle server", [idle], "+ 100 MB", MEMORY),
        Row(f"{what}: another request", beside, "idle server", alone, "–"),
        Row(f"{what}: another request's p99", [percentile(beside, 99)], "idle server", [percentile(alone, 99)], "2 ×"),
    ]


def _look(made: Bed) -> tuple[float, list[float]]:
    """The server's memory, and the seconds that each of some requests takes."""
    connection, found = made.connect(), []
    for _ in range(ASKED):
        begun = time.perf_counter()
        connection.request("GET", "/api/v4/projects/bench%2Fpage")
        answer = connection.getresponse()
        answer.read()
        found.append(time.perf_counter() - begun)
        if answer.status != 200:
            raise RuntimeError(f"the page was answered with {answer.status}")
    connection.close()
    return memory(made.processes()), found


def _wait_until_parked(made: Bed, count: int) -> None:
    """Every manager was noted, which is the last thing before its poll is parked; and then a moment more."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        made.core.session.rollback()
        if made.core.session.scalar(select(func.count()).select_from(RunnerManager)) == count:
            time.sleep(1)
            return
        time.sleep(0.1)
    raise RuntimeError("not all runners wait")
