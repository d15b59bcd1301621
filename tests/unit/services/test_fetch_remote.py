"""Files from addresses that users name: what is fetched, and what is not."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from app.dialects.sources import Unavailable
from app.services.pipelines import fetch_remote as module
from app.services.pipelines.fetch_remote import Reach, fetch_remote

LOOPBACK = ("127.0.0.0/8",)
PLAIN = b"job: {script: x}\n"


class Handler(BaseHTTPRequestHandler):
    """`/SECONDS.yml` takes its time between bytes; the others are named by what they do."""

    redirects: ClassVar[dict[str, str]] = {
        "/moved.yml": "/plain.yml",
        "/round.yml": "/round.yml",
        "/private.yml": "http://[::1]:1/plain.yml",
        "/file.yml": "file:///etc/passwd",
    }
    seen: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Host"))
        if self.path in self.redirects:
            self.answer(302, b"", Location=self.redirects[self.path])
        elif self.path == "/slow.yml":
            self.drip()
        elif self.path == "/packed.yml":
            self.answer(200, PLAIN, **{"Content-Encoding": "gzip"})
        else:
            self.answer(200 if self.path == "/plain.yml?a=1" or self.path == "/plain.yml" else 404, PLAIN)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b"#")
                time.sleep(0.05)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(url: str, networks: tuple[str, ...] = LOOPBACK, seconds: float = 20, limit: int = 1000) -> bytes:
    return fetch_remote(url, Reach(networks, time.monotonic() + seconds), limit)


def test_a_file_is_fetched_through_redirects(address: str) -> None:
    assert fetch(f"http://{address}/plain.yml") == PLAIN
    assert fetch(f"http://{address}/plain.yml?a=1") == PLAIN
    assert fetch(f"http://{address}/moved.yml", limit=len(PLAIN)) == PLAIN
    assert Handler.seen[-1] == address


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("missing.yml", "could not be fetched because of HTTP code `404` error!"),
        ("round.yml", "could not be fetched because of HTTP error!"),
        ("packed.yml", "could not be fetched because of HTTP error!"),
        ("file.yml", "does not have a valid address!"),
    ],
)
def test_what_cannot_be_fetched_is_said(address: str, path: str, problem: str) -> None:
    url = f"http://{address}/{path}"
    with pytest.raises(Unavailable) as refused:
        fetch(url)
    assert str(refused.value) == f"Remote file `{url}` {problem}"


def test_a_file_is_no_longer_than_the_limit(address: str) -> None:
    with pytest.raises(Unavailable, match="larger than 5 bytes"):
        fetch(f"http://{address}/plain.yml", limit=5)


def test_a_server_that_takes_its_time_is_given_up(address: str) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable, match="a timeout error!"):
        fetch(f"http://{address}/slow.yml", seconds=0.3)
    assert time.monotonic() - started < 3


def test_a_server_without_tls_is_no_https(address: str) -> None:
    with pytest.raises(Unavailable, match="HTTP error!"):
        fetch(f"https://{address}/plain.yml")


@pytest.mark.parametrize(
    "place", ["127.0.0.1", "localhost", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"]
)
def test_this_host_is_out_of_reach_by_every_name(address: str, place: str) -> None:
    port = address.partition(":")[2]
    with pytest.raises(Unavailable) as refused:
        fetch(f"http://{place}:{port}/plain.yml", networks=())
    assert "requests to the local network are not allowed" in str(refused.value) or "socket error" in str(refused.value)


def test_a_redirect_leads_to_nothing_that_could_not_be_asked_for(address: str) -> None:
    with pytest.raises(Unavailable, match="requests to the local network are not allowed!"):
        fetch(f"http://{address}/private.yml")


def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_looked_at(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(module, "_look_up", lambda host, port, seconds: asked.append(host) or ["127.0.0.1"])
    port = address.partition(":")[2]
    assert fetch(f"http://ci.example.com:{port}/plain.yml") == PLAIN
    assert asked == ["ci.example.com"]
    assert Handler.seen[-1] == f"ci.example.com:{port}"


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255"),
        *("fe80::1%eth0", "fc00::1", "::", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "ff02::1"),
    ],
)
def test_private_addresses_are_out_of_reach(address: str) -> None:
    assert not Reach((), 0).allows(address)


def test_public_addresses_and_named_networks_are_in_reach() -> None:
    assert Reach((), 0).allows("93.184.216.34")
    assert Reach((), 0).allows("2606:2800:220:1::1")
    assert Reach(("10.1.0.0/16", "fc00::/7"), 0).allows("10.1.2.3")
    assert Reach(("10.1.0.0/16", "fc00::/7"), 0).allows("::ffff:10.1.2.3")
    assert not Reach(("10.1.0.0/16",), 0).allows("10.2.0.1")


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://a.example/x.yml", "http:///x.yml", "http://user:secret@a.example/x.yml", "http://a.example:0/x.yml"),
        *("http://a.example:99999/x.yml", "http://a.example/a b.yml", "http://a.example/\r\nHost:b/x.yml", "//a/x.yml"),
    ],
)
def test_addresses_that_make_no_sense(url: str) -> None:
    with pytest.raises(Unavailable, match="does not have a valid address!"):
        fetch(url)
