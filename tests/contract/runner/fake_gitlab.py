"""A GitLab server as a runner sees it (gitlab.md part A), without any extension of ours, and with faults on demand."""

import json
import re
import threading
from collections import deque
from email.parser import BytesParser
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.contract.runner.served_job import ServedJob

RUNNER_TOKEN = "glrt-abcdefghijklmnopqrst"
REGISTRATION_TOKEN = "a-registration-token"


class FakeGitLab:
    """`start` serves on a free port of 127.0.0.1, `stop` and `start` again keep port and jobs: a server that
    was away.
    """

    def __init__(self) -> None:
        self.jobs: dict[int, ServedJob] = {}
        self.queue: deque[dict[str, Any]] = deque()
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.poll_status: deque[int] = deque()
        self.parked = 0.0
        self.artifacts: dict[int, bytes] = {}
        self.download_faults: deque[int] = deque()
        self.storage = ""  # where artifacts are to be had, for those who ask for it
        self.features: dict[str, Any] = {"trace_sections": True, "failure_reasons": ["image_pull_failure"]}
        self.extensions = ""
        self.polled = threading.Semaphore(0)
        self.wake = threading.Event()
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        handler = type("Handler", (_Handler,), {"gitlab": self})
        self._server = _Server(("127.0.0.1", self.port), handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.close_all()
            self._server = None

    def add_job(self, script: list[str], **fields: Any) -> ServedJob:
        """Queue a job with one step. `fields` replace or add fields of the wire form."""
        job = ServedJob(len(self.jobs) + 1, f"glcbt-token-of-job-{len(self.jobs) + 1}")
        self.jobs[job.id] = job
        document = {
            "id": job.id,
            "token": job.token,
            "allow_git_fetch": True,
            "job_info": {"name": "test", "stage": "test", "project_id": 7, "project_name": "hello"},
            "git_info": {"repo_url": f"{self.url}/g/hello.git", "ref": "main", "sha": "0" * 40, "ref_type": "branch"},
            "runner_info": {"timeout": 60},
            "variables": [{"key": "CI_JOB_ID", "value": str(job.id), "public": True, "masked": False}],
            "steps": [
                {"name": "script", "script": script, "timeout": 60, "when": "on_success", "allow_failure": False}
            ],
            "features": self.features,
            "unknown_field": {"of": ["a later version"]},
        }
        self.queue.append({**document, **fields})
        self.wake.set()
        return job

    def calls(self, method: str, path: str) -> list[Any]:
        """The decoded bodies of all requests of this kind."""
        return [body for m, p, _, body in self.requests if (m, p) == (method, path)]


def _encoded(document: Any) -> bytes:
    return document.encode() if isinstance(document, str) else json.dumps(document).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *args: Any) -> None:
        self.open: set[Any] = set()
        super().__init__(*args)

    def get_request(self) -> Any:
        sock, address = super().get_request()
        self.open.add(sock)
        return sock, address

    def close_all(self) -> None:
        self.server_close()
        for sock in self.open:
            try:
                sock.shutdown(2)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is not worth a word."""


class _Handler(BaseHTTPRequestHandler):
    gitlab: FakeGitLab
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args: Any) -> None:
        """Tests read what they want to know from `FakeGitLab.requests`."""

    def do_POST(self) -> None:
        self._dispatch()

    def do_PUT(self) -> None:
        self._dispatch()

    def do_PATCH(self) -> None:
        self._dispatch()

    def do_GET(self) -> None:
        self._dispatch()

    def do_DELETE(self) -> None:
        self._dispatch()

    def _dispatch(self) -> None:
        parts = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix("/api/v4")
        self.body = self._read_body()
        is_json = self.headers.get("Content-Type") == "application/json"
        decoded = json.loads(self.body) if is_json and self.body else self.body
        self.gitlab.requests.append((self.command, path, dict(self.headers.items()), decoded))
        if path.startswith("/runners"):
            self._runners(path, decoded)
        elif path == "/jobs/request":
            self._request_job(decoded)
        elif match := re.fullmatch(r"/jobs/(\d+)(/trace|/artifacts|)", path):
            self._job(int(match[1]), match[2], decoded)
        else:
            self._answer(404, {"error": "404 Not Found"})

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, status: int, document: Any = None, **headers: str) -> None:
        """`document` is JSON, unless it is the bytes of a file or the plain text that some calls are answered with."""
        plain = isinstance(document, bytes | str)
        kind = (
            "text/plain" if isinstance(document, str) else "application/octet-stream" if plain else "application/json"
        )
        body = b"" if document is None else document if isinstance(document, bytes) else _encoded(document)
        self.send_response(status)
        if self.gitlab.extensions:
            self.send_header("X-Skerry-Features", self.gitlab.extensions)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _runners(self, path: str, body: Any) -> None:
        if (self.command, path) == ("POST", "/runners") and body["token"] == REGISTRATION_TOKEN:
            self._answer(201, {"id": 12, "token": RUNNER_TOKEN, "token_expires_at": None})
        elif self.headers["RUNNER-TOKEN"] != RUNNER_TOKEN or body["token"] != RUNNER_TOKEN:
            self._answer(403, {"message": "403 Forbidden"})
        elif (self.command, path) == ("POST", "/runners/verify"):
            self._answer(200, {"id": 12, "token": RUNNER_TOKEN, "token_expires_at": None})
        elif (self.command, path) == ("DELETE", "/runners"):
            self._answer(204)
        else:
            self._answer(404)

    def _request_job(self, body: Any) -> None:
        gitlab = self.gitlab
        gitlab.polled.release()
        if gitlab.poll_status:
            self._refuse_poll(gitlab.poll_status.popleft())
            return
        if not gitlab.queue and gitlab.parked:
            gitlab.wake.wait(gitlab.parked)
        if body["token"] != RUNNER_TOKEN:
            self._answer(403, {"message": "403 Forbidden"})
        elif gitlab.queue:
            document = gitlab.queue.popleft()
            if not gitlab.queue:
                gitlab.wake.clear()
            gitlab.jobs[document["id"]].status = gitlab.jobs[document["id"]].claimed_as
            self._answer(201, document, X_GitLab_Last_Update="later")
        else:
            self._answer(204, X_GitLab_Last_Update="now")

    def _refuse_poll(self, status: int) -> None:
        if status == 204:
            self._answer(204, X_GitLab_Last_Update="now")
        else:
            retry = {"Retry_After": "0"} if status in (429, 503) else {}
            self._answer(status, {"message": f"{status} {HTTPStatus(status).phrase}"}, **retry)

    def _job(self, job_id: int, kind: str, body: Any) -> None:
        job = self.gitlab.jobs.get(job_id)
        if kind == "/artifacts" and self.command == "GET":
            self._download(job_id)
        elif job is None or self.headers["JOB-TOKEN"] != job.token:
            self._answer(403, {"message": "403 Forbidden"})
        elif job.status not in ("running", "canceling"):
            self._answer(403, {"message": "403 Forbidden - Job is not processing on runner"}, Job_Status=job.status)
        else:
            with job.changed:
                {"": self._update, "/trace": self._patch, "/artifacts": self._upload}[kind](job, body)
                job.changed.notify_all()

    def _headers_of(self, job: ServedJob) -> dict[str, str]:
        return {"Job_Status": job.status, **({"X_GitLab_Trace_Update_Interval": job.interval} if job.interval else {})}

    def _update(self, job: ServedJob, body: Any) -> None:
        job.updates.append(body)
        if job.update_faults:
            self._fault(job, job.update_faults)
        elif body["state"] in ("running", "pending"):
            self._answer(200, "200", **self._headers_of(job))
        elif job.pending_finals > 0:
            job.pending_finals -= 1
            self._answer(202, "202", Job_Status=job.status, X_GitLab_Trace_Update_Interval="0.05")
        else:
            job.status = "canceled" if job.status == "canceling" else body["state"]
            self._answer(200, "200", Job_Status=job.status)
            job.ended.set()

    def _patch(self, job: ServedJob, body: bytes) -> None:
        start = int(self.headers["Content-Range"].partition("-")[0])
        assert self.headers["Content-Range"] == f"{start}-{start + len(body) - 1}"
        job.debug_trace.add(self.query["debug_trace"])
        if job.patch_faults:
            self._fault(job, job.patch_faults)
            return
        if start == len(job.trace):
            job.trace += body
        status = 202 if len(job.trace) == start + len(body) else 416
        job.patches.append((start, len(body), status))
        self._answer(status, f"0-{len(job.trace)}", Range=f"0-{len(job.trace)}", **self._headers_of(job))

    def _fault(self, job: ServedJob, faults: deque[int]) -> None:
        """Answer the next planned status; 0 hangs up after the work was done, 412 forgets the log."""
        status = faults.popleft()
        if status == 412:
            job.trace.clear()
        if status == 0:
            start = int(self.headers.get("Content-Range", "0").partition("-")[0])
            if self.command == "PATCH" and start == len(job.trace):
                job.trace += self.body
            self.close_connection = True
            self.connection.shutdown(2)
            return
        retry = {"Retry_After": "0"} if status in (429, 503) else {}
        self._answer(status, {"message": "a planned fault"}, Range=f"0-{len(job.trace)}", **retry)

    def _upload(self, job: ServedJob, body: bytes) -> None:
        assert self.headers["Transfer-Encoding"] == "chunked"
        if job.upload_faults:
            self._answer(job.upload_faults.popleft(), {"message": "too large"})
            return
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = BytesParser().parsebytes(head + body).get_payload()
        assert isinstance(parts, list)
        assert [part.get_param("name", header="Content-Disposition") for part in parts] == ["file"]
        job.uploads.append((self.query, parts[0].get_filename() or "", parts[0].get_payload(decode=True)))
        self._answer(201, 201)

    def _download(self, job_id: int) -> None:
        known = any(job.token == self.headers["JOB-TOKEN"] for job in self.gitlab.jobs.values())
        if self.gitlab.download_faults:
            self._answer(self.gitlab.download_faults.popleft(), {"message": "a planned fault"})
        elif not known or job_id not in self.gitlab.artifacts:
            self._answer(404, {"message": "404 Not Found"})
        elif self.gitlab.storage and self.query.get("direct_download") == "true":
            self._answer(302, Location=f"{self.gitlab.storage}/artifacts/{job_id}?signature=x")
        else:
            self._answer(200, self.gitlab.artifacts[job_id])
