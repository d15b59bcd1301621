"""`group%2Fproject` is one segment under every server that we run on."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import LiveServer
from tests.factories import make_pipeline, make_project
from tests.support.place import Place, zipped

#: (address, status): those that differ only in what is encoded, and those that must not match.
CASES = [
    ("/api/v4/projects/acme%2Frocket", 200),
    ("/api/v4/projects/acme%2frocket", 200),
    ("/api/v4/projects/ACME%2FRocket/jobs?scope%5B%5D=success", 200),
    ("/api/v4/projects/acme%2Fdeep%2Frocket/pipelines", 200),
    ("/api/v4/projects/acme/rocket", 404),
    ("/api/v4/projects/acme%252Frocket", 404),
    ("/api/v4/projects/1/jobs/artifacts/feature%2F50%25/download?job=build", 200),
    ("/api/v4/projects/1/jobs/artifacts/feature/50%25/download?job=build", 200),
    ("/api/v4/projects/1/jobs/artifacts/feature/50%/download?job=build", 200),
    ("/api/v4/projects/acme%2Frocket/jobs/artifacts/feature%2F50%25/raw/sub%2Fcaf%C3%A9?job=build", 200),
    ("/api/v4/projects/acme%2Frocket/jobs/1/artifacts/sub/caf%C3%A9", 200),
    ("/api/v4/projects/acme%2Frocket/jobs/1/artifacts/..%2Fsecret", 400),
    ("/api/v4/projects/acme%2Frocket%00", 404),
    ("/acme/rocket.git/info/refs?service=git-upload-pack", 401),
    ("/acme/rocket/-/pipelines", 302),
]


@pytest.fixture
def filled(place: Place) -> str:
    """A token of the owner; `feature/50%` has artifacts."""
    make_project(place.core, "acme/deep/rocket", creator=place.users["owner"])
    place.pipeline = make_pipeline(place.core, place.project, ref="feature/50%", status="success")
    place.archive(place.job(name="build", status="success"), zipped({"sub/café": b"1"}))
    return place.tokens["owner"]


def statuses(url: str, token: str) -> list[tuple[str, int]]:
    """What the server at `url` answers to each case; the addresses are sent as they stand."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=20)
    found = []
    for address, _ in CASES:
        headers = {"PRIVATE-TOKEN": token} if "/api/" in address else {}
        connection.request("GET", address, headers=headers)
        response = connection.getresponse()
        response.read()
        found.append((address, response.status))
    connection.close()
    return found


def test_under_the_test_client(client, filled: str) -> None:
    found = []
    for address, _ in CASES:
        headers = {"PRIVATE-TOKEN": filled} if "/api/" in address else {}
        found.append((address, client.get(address, headers=headers, buffered=True).status_code))
    assert found == CASES


def test_under_werkzeugs_server(server: LiveServer, filled: str) -> None:
    assert statuses(server.url, filled) == CASES


@pytest.fixture
def gunicorn(place: Place, tmp_path: Path) -> Iterator[str]:
    """The address of gunicorn with threads, on the data of `place`, as `skerry serve` runs it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    config = place.core.config
    url = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "SKERRY_DATA_DIR": str(config.data_dir),
        "SKERRY_DATABASE_URL": config.database_url,
        "SKERRY_EXTERNAL_URL": url,
    }
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"]
    command += ["--threads", "8", "--no-control-socket", "wsgi:app"]
    root = Path(__file__).parents[3]
    with (tmp_path / "gunicorn.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log)
        try:
            wait_for(port, process)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/-/health")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.1)
        finally:
            connection.close()
    raise AssertionError("gunicorn did not start")


def test_under_gunicorn(filled: str, gunicorn: str) -> None:
    assert statuses(gunicorn, filled) == CASES
