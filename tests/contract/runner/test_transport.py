"""One HTTP call: what is tried again, where a redirect may lead, what an error may say."""

import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from runner.protocol.client import RunnerClient
from runner.protocol.job_client import JobClient
from runner.protocol.outcomes import Outcome, PollState
from runner.protocol.transport import Transport, UnreachableError, retry_after


class Scripted(ThreadingHTTPServer):
    """Answers with the (status, headers, body) of `answers` in turn; `seen` is what was asked."""

    daemon_threads = True

    def __init__(self):
        self.answers = deque()
        self.seen = []
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Quiet."""

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, dict(self.headers.items()), body))
        status, headers, answer = self.server.answers.popleft() if self.server.answers else (200, {}, b"{}")
        self.send_response(status)
        for name, value in {"Content-Length": str(len(answer)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_GET = _serve  # noqa: N815
    do_POST = _serve  # noqa: N815
    do_PUT = _serve  # noqa: N815
    do_PATCH = _serve  # noqa: N815


@pytest.fixture
def server():
    started = Scripted()
    yield started
    started.shutdown()
    started.server_close()


@pytest.fixture
def transport(server):
    made = Transport(server.url)
    yield made
    made.close()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 512])
def test_some_statuses_are_tried_again(server, transport, status):
    server.answers.extend([(status, {"Retry-After": "0"}, b"")] * 2)
    assert transport.request("POST", "/x", headers={}, json={"a": 1}).status_code == 200
    assert [(path, body) for _, path, _, body in server.seen] == [("/api/v4/x", b'{"a": 1}')] * 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 501])
def test_other_statuses_are_answers(server, transport, status):
    server.answers.append((status, {}, b""))
    assert transport.request("POST", "/x", headers={}).status_code == status
    assert len(server.seen) == 1


def test_five_tries_are_enough(server, transport):
    server.answers.extend([(503, {"Retry-After": "0"}, b"")] * 9)
    assert transport.request("POST", "/x", headers={}).status_code == 503
    assert len(server.seen) == 5


def test_waiting_between_tries_ends_on_demand(server, transport):
    server.answers.append((503, {"Retry-After": "50"}, b""))
    stop = threading.Event()
    timer = threading.Timer(0.1, stop.set)
    timer.start()
    started = time.monotonic()
    assert transport.request("POST", "/x", headers={}, stop=stop).status_code == 503
    assert time.monotonic() - started < 5


def test_the_wait_is_what_the_server_asks_for():
    assert retry_after({"Retry-After": "7"}, 1) == 7.0
    assert retry_after({"Retry-After": "99999"}, 1) == 60.0
    assert retry_after({"RateLimit-ResetTime": "Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After": "7"}, 1) == 0.0
    assert retry_after({"RateLimit-ResetTime": "soon"}, 1) < 1.0
    assert retry_after({}, 20) <= 60.0


def test_every_call_has_a_name_and_an_id(server, transport):
    transport.request("POST", "/x", headers={})
    transport.request("POST", "/x", headers={})
    first, second = (headers for _, _, headers, _ in server.seen)
    assert first["User-Agent"].startswith("skerry-runner ")
    assert len(first["X-Request-Id"]) == 32
    assert first["X-Request-Id"] != second["X-Request-Id"]


def test_a_redirect_on_the_same_host_keeps_method_body_and_token(server, transport):
    server.answers.append((307, {"Location": "/gitlab/api/v4/x"}, b""))
    transport.request("PATCH", "/x", headers={"JOB-TOKEN": "secret"}, body=lambda: b"data", params={"q": "1"})
    assert [(m, p, b) for m, p, _, b in server.seen] == [
        ("PATCH", "/api/v4/x?q=1", b"data"),
        ("PATCH", "/gitlab/api/v4/x", b"data"),
    ]
    assert server.seen[1][2]["JOB-TOKEN"] == "secret"


def test_a_token_follows_no_redirect_to_another_host(server, transport):
    server.answers.append((307, {"Location": f"http://localhost:{server.server_port}/x"}, b""))
    assert transport.request("POST", "/x", headers={"RUNNER-TOKEN": "secret"}).status_code == 307
    assert len(server.seen) == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x", "http://127.0.0.1:99999/x", "ftp://127.0.0.1/x"])
def test_a_token_follows_no_redirect_to_another_service_of_the_host(server, transport, address):
    server.answers.append((307, {"Location": address}, b""))
    assert transport.request("POST", "/x", headers={"RUNNER-TOKEN": "secret"}).status_code == 307
    assert len(server.seen) == 1


def test_a_redirect_to_no_address_is_no_answer(server, transport):
    server.answers.append((302, {"Location": "http://[::1/x"}, b""))
    with pytest.raises(UnreachableError):
        transport.request("GET", "/x", headers={})


def test_redirects_end_somewhere(server, transport):
    server.answers.extend([(307, {"Location": "/again"}, b"")] * 20)
    assert transport.request("POST", "/x", headers={}).status_code == 307
    assert len(server.seen) < 10


def test_a_server_that_is_away_is_said_without_its_address():
    server = Scripted()
    url = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(UnreachableError) as caught:
        Transport(url).request("POST", "/x", headers={}, params={"private": "value"})
    assert "value" not in str(caught.value)
    assert "ConnectionError" in str(caught.value)


def test_no_proxy_or_netrc_of_the_account_is_used(server, transport, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert transport.request("POST", "/x", headers={}).status_code == 200


def test_artifacts_come_from_object_storage_without_our_token(server, transport, tmp_path):
    storage = Scripted()
    storage.answers.append((200, {}, b"archive"))
    server.answers.append((302, {"Location": f"http://localhost:{storage.server_port}/bucket/a.zip?signature=x"}, b""))
    client = JobClient(transport, 1, "secret", {})
    answer = client.download(2, "secret", tmp_path / "a.zip", direct=True)
    storage.shutdown()
    storage.server_close()
    assert answer.outcome is Outcome.OK
    assert (tmp_path / "a.zip").read_bytes() == b"archive"
    assert server.seen[0][1] == "/api/v4/jobs/2/artifacts?direct_download=true"
    assert "JOB-TOKEN" not in storage.seen[0][2]


def test_a_download_that_is_cut_off_is_no_success(server, transport, tmp_path):
    server.answers.append((200, {"Content-Length": "100", "Connection": "close"}, b"short"))
    answer = JobClient(transport, 1, "t", {}).download(2, "t", tmp_path / "a", direct=False)
    assert answer.outcome is Outcome.RETRY


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"id": 1}'])
def test_a_job_that_is_none_is_an_error_and_no_crash(server, transport, body):
    server.answers.append((201, {}, body))
    poll = RunnerClient(transport, "t", "s", {}).request_job(threading.Event())
    assert (poll.state, poll.job) == (PollState.ERROR, None)


def test_an_upload_streams_and_names_its_file(server, transport, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"content")
    JobClient(transport, 5, "t", {}).upload(path, 'a"b\r\n.zip', {"artifact_type": "archive"})
    _, target, headers, _ = server.seen[0]
    assert target == "/api/v4/jobs/5/artifacts?artifact_type=archive"
    assert headers["Transfer-Encoding"] == "chunked"
    assert headers["JOB-TOKEN"] == "t"
