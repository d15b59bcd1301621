"""The daemon at a GitLab that knows nothing of Skerry: its own form of a job, its statuses, headers and moods.

The job (`job_of_gitlab_19.json`) is written by hand after gitlab.md A.3.1, with every field that GitLab 19 sends.
"""

import io
import json
import zipfile
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.contract.runner.outcomes import finished, output_of
from tests.contract.runner.served_job import checksum

JOB = json.loads(Path(__file__).with_name("job_of_gitlab_19.json").read_text())
#: GitLab's fields of a request; ours has no more than these.
SAID = {"info", "token", "system_id", "last_update"}


@pytest.fixture
def storage(monkeypatch, tmp_path):
    """Object storage: another service on the same host, for which the account keeps a password."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            """Quiet."""

        def do_GET(self):
            seen.append((self.path, dict(self.headers.items())))
            status, body = self.server.answers.popleft() if self.server.answers else (200, archive())
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.answers, server.seen = deque(), seen
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password keep-this\n")
    monkeypatch.setenv("NETRC", str(netrc))
    yield server
    server.shutdown()
    server.server_close()


def archive():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        opened.writestr("from-build.txt", "built\n")
    return packed.getvalue()


def test_a_job_of_gitlab_runs_through_all_its_moods(gitlab, storage, serve):
    gitlab.storage = f"http://127.0.0.1:{storage.server_port}"
    gitlab.artifacts[90] = archive()
    gitlab.features = JOB["features"]
    gitlab.poll_status.extend([204, 409, 403, 429, 503])
    job = gitlab.add_job([], **JOB)
    job.update_faults.append(503)
    job.patch_faults.extend([429, 416])
    job.upload_faults.append(500)
    job.pending_finals = 2
    serve()
    final = finished(job)
    assert final["state"] == "success", bytes(job.trace)
    assert final["output"] == {"checksum": checksum(job.trace), "bytesize": len(job.trace)}
    output = output_of(bytes(job.trace))
    assert b"hello from GitLab\n" in output
    assert b"a=1\n" in output
    assert b"built\n" in output
    assert b"hunter2" not in job.trace
    assert b"[MASKED]\n" in output
    assert b"after success\n" in job.trace
    [(query, filename, content)] = job.uploads
    assert query == {"artifact_type": "archive", "artifact_format": "zip", "expire_in": "1 week"}
    assert (filename, zipfile.ZipFile(io.BytesIO(content)).namelist()) == ("artifacts.zip", ["own.txt"])
    [(path, headers)] = storage.seen
    assert path == "/artifacts/90?signature=x"
    assert not {"JOB-TOKEN", "Authorization", "Cookie"} & set(headers)
    assert "glcbt-" not in str(headers)
    polls = gitlab.calls("POST", "/jobs/request")
    assert all(set(poll) <= SAID for poll in polls)
    assert [poll.get("last_update") for poll in polls[:2]] == [None, "now"]
    assert all("steps" not in update for update in job.updates)
    states = [update["state"] for update in job.updates]
    assert states[0] == "running"
    assert states.count("success") == 3


def test_storage_that_cannot_be_reached_is_gone_around(gitlab, storage, serve):
    gitlab.storage = f"http://127.0.0.1:{storage.server_port}"
    gitlab.artifacts[90] = archive()
    storage.answers.append((503, b""))
    job = gitlab.add_job([], **JOB)
    serve()
    assert finished(job)["state"] == "success", bytes(job.trace)
    asked = [path for method, path, _, _ in gitlab.requests if (method, path) == ("GET", "/jobs/90/artifacts")]
    assert (len(asked), len(storage.seen)) == (2, 1)
