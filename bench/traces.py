"""A piece of log of 128 kB on its way into a job's log, against a handler behind the same gunicorn that appends the
body to a file and does nothing else.

Both over one connection that is kept open. Ours checks the token and the range, writes the bytes, and commits how many
count; the peer is told to put its bytes on the disk as a commit does. Noise: the disk's flushes.
"""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from app import crypto
from app.models import Job, write
from app.services.runners.claim_job import JOB_TOKEN_PREFIX
from bench.bed import bed, kinds
from bench.place import Place
from bench.table import SPEED, Row
from tests.factories import make_job, make_pipeline, make_project
from tests.integration.stack import free_port, wait_until

ALONE = True
"""Needs no installation."""

PIECE, COUNT = 128 * 1024, 200
MB = 1e6


def run(place: Place | None) -> list[Row]:
    """One row for each database."""
    limit = _plain()
    return [
        Row(f"PATCH of a log, 128 kB, {kind}", _ours(kind), "file append", limit, "50 %", SPEED) for kind in kinds()
    ]


def _ours(kind: str) -> list[float]:
    with bed(kind) as made:
        token = crypto.new_token(JOB_TOKEN_PREFIX)
        job = make_job(made.core, make_pipeline(made.core, make_project(made.core)))
        with write(made.core.session):
            row, now = made.core.session.get_one(Job, job.id), made.core.now()
            row.status, row.token_hash, row.started_at = "running", crypto.token_hash(token), now
        return _send(made.connect(), f"/api/v4/jobs/{job.id}/trace", {"Job-Token": token})


def _send(connection: HTTPConnection, path: str, headers: dict[str, str]) -> list[float]:
    """MB a second, of each quarter of the pieces."""
    data, found, sent = secrets.token_bytes(PIECE // 2).hex().encode(), [], 0
    for _ in range(4):
        begun = time.perf_counter()
        for _ in range(COUNT // 4):
            connection.request("PATCH", path, data, headers | {"Content-Range": f"{sent}-{sent + PIECE - 1}"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 202:
                raise RuntimeError(f"a piece of log was answered with {answer.status}")
            sent += PIECE
        found.append(PIECE * COUNT / 4 / MB / (time.perf_counter() - begun))
    return found


def _plain() -> list[float]:
    port = free_port()
    words = ["-k", "gthread", "--threads", "16", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as folder:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *words, "--log-level", "error", "bench.traces:append"],
            env=os.environ | {"BENCH_LOG": str(Path(folder) / "log")},
        )
        try:
            connection = HTTPConnection("127.0.0.1", port)
            wait_until("the peer answers", lambda: _answers(connection))
            return _send(connection, "/", {})
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
        log.flush()
        os.fdatasync(log.fileno())
    start_response("202 Accepted", [("Content-Length", "0")])
    return []
