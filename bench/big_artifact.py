"""An artifact of 1 GiB on its way up and down, and one file of 10 kB out of it.

Up as a runner sends it, chunked multipart in pieces of 32 kB, against one pass over the same file that copies it,
hashes it and waits for the disk, as the server does. Down over REST, against a server of a few lines that does nothing
but `sendfile`. The file against `unzip -p`; 1,000 others lie in the same archive. Ours and the other take turns.

The rows of memory are the most that the server's processes held at any time meanwhile, against what they held before.
Noise: the disk; and up and down the client is as busy as the server, so that it is two cores that are measured.
"""

import hashlib
import os
import secrets
import socket
import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from app import crypto
from app.models import Job, write
from app.services.runners.claim_job import JOB_TOKEN_PREFIX
from bench.bed import Bed, bed, memory
from bench.place import Place
from bench.table import MEMORY, SPEED, Row
from tests.factories import make_job, make_pipeline, make_project

ALONE = True
"""Needs no installation."""

RUNS, MEMBER_RUNS = 3, 15
FILES = 1_000
FILE = (1 << 30) // FILES
MEMBER, MEMBER_SIZE = "reports/summary.txt", 10_000
MB, PIECE, SENT = 1e6, 1 << 20, 32 * 1024
_BOUNDARY = b"a0b1c2d3e4f5" * 5  # as long as those of a Go program
_HEAD = b'--%b\r\nContent-Disposition: form-data; name="file"; filename="artifacts.zip"\r\n\r\n' % _BOUNDARY
_TAIL = b"\r\n--%b--\r\n" % _BOUNDARY

Measured = Callable[[], float]


def run(place: Place | None) -> list[Row]:
    """Three rows of speed, and two of memory."""
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as name, bed() as made:
        archive = Path(name) / "artifacts.zip"
        _pack(archive)
        project = make_project(made.core, visibility="public")
        jobs = [make_job(made.core, make_pipeline(made.core, project)).id for _ in range(RUNS + 1)]
        _up(made, jobs.pop(), archive)  # what is loaded once is no artifact's
        address = f"/api/v4/projects/{project.id}/jobs/{jobs[0]}/artifacts"
        with _watched(made) as up_memory:
            up = _turns(RUNS, lambda: _up(made, jobs.pop(), archive), lambda: _copied(archive))
        with _watched(made) as down_memory, _sendfile_server(archive) as port:
            bare = HTTPConnection("127.0.0.1", port)
            down = _turns(RUNS, lambda: _fetched(made.connect(), address), lambda: _fetched(bare, "/"))
        member = _turns(MEMBER_RUNS, lambda: _member(made, address), lambda: _unzipped(archive))
    return [
        _speed("up", up, "copy + SHA-256"),
        _speed("down", down, "bare sendfile"),
        Row("a file of 10 kB out of an artifact of 1 GiB", member[0], "unzip -p", member[1], "2 ×"),
        _more("up", up_memory),
        _more("down", down_memory),
    ]


def _speed(way: str, seconds: tuple[Sequence[float], Sequence[float]], against: str) -> Row:
    ours, limit = ([FILES * FILE / MB / value for value in values] for values in seconds)
    return Row(f"an artifact of 1 GiB {way}", ours, against, limit, "50 %", SPEED)


def _more(way: str, samples: list[float]) -> Row:
    what = f"the server's memory while an artifact of 1 GiB goes {way}"
    return Row(what, [max(samples)], "before it", samples[:1], "+ 20 MB", MEMORY)


def _turns(runs: int, ours: Measured, other: Measured) -> tuple[list[float], list[float]]:
    pairs = [(ours(), other()) for _ in range(runs)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _pack(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(FILES):
            archive.writestr(f"build/part-{number:04}.bin", secrets.token_bytes(FILE))
        archive.writestr(MEMBER, secrets.token_hex(MEMBER_SIZE // 2), zipfile.ZIP_DEFLATED)


def _up(made: Bed, job_id: int, archive: Path) -> float:
    """Seconds of the upload; the job is made to run for it, and has passed afterwards."""
    token = crypto.new_token(JOB_TOKEN_PREFIX)
    _set(made, job_id, "running", crypto.token_hash(token))
    headers = {"Job-Token": token, "Content-Type": f"multipart/form-data; boundary={_BOUNDARY.decode()}"}
    connection, begun = made.connect(), time.perf_counter()
    connection.request("POST", f"/api/v4/jobs/{job_id}/artifacts", _body(archive), headers, encode_chunked=True)
    answer = connection.getresponse()
    seconds = time.perf_counter() - begun
    if answer.status != 201:
        raise RuntimeError(f"the upload was answered with {answer.status}: {answer.read()!r}")
    _set(made, job_id, "success", None)
    return seconds


def _set(made: Bed, job_id: int, status: str, token_hash: str | None) -> None:
    with write(made.core.session):
        job = made.core.session.get_one(Job, job_id)
        job.status, job.token_hash, job.started_at = status, token_hash, made.core.now()


def _body(archive: Path) -> Iterator[bytes]:
    yield _HEAD
    with archive.open("rb") as file:
        while piece := file.read(SENT):
            yield piece
    yield _TAIL


def _copied(archive: Path) -> float:
    begun, digest = time.perf_counter(), hashlib.sha256()
    copy = archive.with_suffix(".copy")
    with archive.open("rb") as source, copy.open("wb", buffering=0) as target:
        while piece := source.read(PIECE):
            digest.update(piece)
            target.write(piece)
        os.fsync(target.fileno())
    seconds = time.perf_counter() - begun
    copy.unlink()
    return seconds


def _fetched(connection: HTTPConnection, address: str) -> float:
    """Seconds until the last byte is here."""
    buffer, size, begun = bytearray(PIECE), 0, time.perf_counter()
    connection.request("GET", address)
    answer = connection.getresponse()
    while count := answer.readinto(buffer):
        size += count
    if answer.status != 200 or size < FILES * FILE:
        raise RuntimeError(f"the download was answered with {answer.status} and {size} bytes")
    return time.perf_counter() - begun


@contextmanager
def _sendfile_server(archive: Path) -> Iterator[int]:
    """A port of a process that answers each connection with the file, whatever it asks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = os.fork()
        if not child:
            _serve(listener, archive)
        try:
            yield listener.getsockname()[1]
        finally:
            os.kill(child, 9)
            os.waitpid(child, 0)


def _serve(listener: socket.socket, archive: Path) -> None:
    size = archive.stat().st_size
    while True:
        connection, _ = listener.accept()
        with connection, archive.open("rb") as file:
            connection.recv(PIECE)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % size)
            connection.sendfile(file)


def _member(made: Bed, address: str) -> float:
    connection, begun = made.connect(), time.perf_counter()
    connection.request("GET", f"{address}/{MEMBER}")
    answer = connection.getresponse()
    if len(answer.read()) != MEMBER_SIZE:
        raise RuntimeError(f"the file was answered with {answer.status}")
    return time.perf_counter() - begun


def _unzipped(archive: Path) -> float:
    begun = time.perf_counter()
    found = subprocess.run(["unzip", "-p", archive, MEMBER], check=True, capture_output=True).stdout
    if len(found) != MEMBER_SIZE:
        raise RuntimeError("unzip found another file")
    return time.perf_counter() - begun


@contextmanager
def _watched(made: Bed) -> Iterator[list[float]]:
    """MB that the server holds, before and then ten times a second."""
    samples, done = [memory(made.processes())], threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            samples.append(memory(made.processes()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield samples
    finally:
        done.set()
        watcher.join()
