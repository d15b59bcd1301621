"""A piece of log of 128 kB on its way into a job's log, against a handler behind the same gunicorn that appends the
body to a file and does nothing else.

Each over one connection that is kept open, in turns, so that other work on the machine hits them alike. Ours asks the
database whether the token may still write, checks the range, writes the bytes and how many count, and notes the request
in its log. Neither waits for the disk: what a loss of power takes from a log that still grows, its runner sends again.
"""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from app import crypto
from app.models import Job, write
from app.services.runners.claim_job import JOB_TOKEN_PREFIX
from bench.bed import Bed, bed, kinds, processor, tree
from bench.place import Place
from bench.table import SPEED, Row
from tests.factories import make_job, make_pipeline, make_project
from tests.integration.stack import free_port, wait_until

ALONE = True
"""Needs no installation."""

PIECE, COUNT, TURNS = 128 * 1024, 200, 9
MB = 1e6


class _Line:
    """One log that grows over one connection."""

    def __init__(
        self, connection: HTTPConnection, path: str, headers: dict[str, str], processes: Sequence[int]
    ) -> None:
        self._connection, self._path, self._headers, self._sent = connection, path, headers, 0
        self._processes = list(processes)
        self._data = b"".join(secrets.token_hex(49).encode() + b"\n" for _ in range(PIECE // 99 + 1))[:PIECE]

    def turn(self, count: int = COUNT) -> tuple[float, float]:
        """MB a second of the next pieces, and how many seconds of processor each of them took the server."""
        begun, spent = time.perf_counter(), processor(self._processes)
        for _ in range(count):
            span = {"Content-Range": f"{self._sent}-{self._sent + PIECE - 1}"}
            self._connection.request("PATCH", self._path, self._data, self._headers | span)
            answer = self._connection.getresponse()
            answer.read()
            if answer.status != 202:
                raise RuntimeError(f"a piece of log was answered with {answer.status}")
            self._sent += PIECE
        seconds = time.perf_counter() - begun
        return PIECE * count / MB / seconds, (processor(self._processes) - spent) / count


def run(place: Place | None) -> list[Row]:
    """Two rows for each database: by the clock, and by the processor time that a piece takes."""
    return [row for kind in kinds() for row in _rows(kind)]


def _rows(kind: str) -> list[Row]:
    with bed(kind) as made, _peer() as plain:
        lines = _job(made), plain
        for line in lines:
            line.turn(5)
        turns = [[line.turn() for line in lines] for _ in range(TURNS)]
    (speed, spent), (plain_speed, plain_spent) = (zip(*line, strict=True) for line in zip(*turns, strict=True))
    what = f"PATCH of a log, 128 kB, {kind}"
    return [
        Row(what, speed, "file append", plain_speed, "50 %", SPEED),
        Row(f"{what}: processor time", spent, "file append", plain_spent, "2 ×"),
    ]


def _job(made: Bed) -> _Line:
    token = crypto.new_token(JOB_TOKEN_PREFIX)
    job = make_job(made.core, make_pipeline(made.core, make_project(made.core)))
    with write(made.core.session):
        row, now = made.core.session.get_one(Job, job.id), made.core.now()
        row.status, row.token_hash, row.started_at = "running", crypto.token_hash(token), now
    return _Line(made.connect(), f"/api/v4/jobs/{job.id}/trace", {"Job-Token": token}, made.processes())


@contextmanager
def _peer() -> Iterator[_Line]:
    port = free_port()
    words = ["-k", "gthread", "--threads", "16", "--keep-alive", "75", "--bind", f"127.0.0.1:{port}"]
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as folder:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                *words,
                "--no-control-socket",
                "--log-level",
                "error",
                "bench.traces:append",
            ],
            env=os.environ | {"BENCH_LOG": str(Path(folder) / "log")},
        )
        try:
            connection = HTTPConnection("127.0.0.1", port)
            wait_until("the peer answers", lambda: _answers(connection))
            yield _Line(connection, "/", {}, tree(server.pid))
        finally:
            server.terminate()
            server.wait()


def _answers(connection: HTTPConnection) -> bool:
    try:
        connection.request("PATCH", "/", b"")
        return connection.getresponse().read() == b""
    except OSError:
        connection.close()
        return False


def append(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The peer: a WSGI application."""
    with Path(os.environ["BENCH_LOG"]).open("ab") as log:
        log.write(environ["wsgi.input"].read())
    start_response("202 Accepted", [("Content-Length", "0")])
    return []
