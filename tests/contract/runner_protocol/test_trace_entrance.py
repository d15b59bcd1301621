"""Pieces of log that take the short way and those that take the long one cannot be told apart."""

import socket

import pytest

from app.api.gitlab_v4.runner import trace_entrance
from app.models import Job
from tests.support.world import plan


@pytest.fixture
def running(world, project, stock):
    world.pipeline(project, [plan("a")])
    return stock.take()


@pytest.fixture
def short_ways(monkeypatch):
    """What came out of each try of the short way."""
    found = []
    take = trace_entrance.TraceEntrance._take

    def watched(self, environ, request_id):
        found.append(take(self, environ, request_id))
        return found[-1]

    monkeypatch.setattr(trace_entrance.TraceEntrance, "_take", watched)
    return found


def patch(server, running, head="", body=b"", path="trace", range_="0-2"):
    """Send it byte for byte; status, headers in lower case, and body of the answer."""
    host, port = server.url.removeprefix("http://").split(":")
    lines = [
        f"PATCH /api/v4/jobs/{running.id}/{path} HTTP/1.1",
        "Host: x",
        "Connection: close",
        f"Content-Range: {range_}",
        f"Job-Token: {running.token}",
    ]
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall("".join(line + "\r\n" for line in lines).encode() + head.encode() + b"\r\n" + body)
        connection.shutdown(socket.SHUT_WR)
        found, _, content = connection.makefile("rb").read().partition(b"\r\n\r\n")
    status, *headers = found.decode().split("\r\n")
    pairs = (header.split(": ", 1) for header in headers)
    return int(status.split()[1]), {name.lower(): value for name, value in pairs}, content


def sized(body):
    return f"Content-Length: {len(body)}\r\n"


def log_of(core, running):
    with core.traces.open(running.id) as file:
        return file.read()


def test_both_ways_answer_alike(core, server, running, short_ways):
    short = patch(server, running, sized(b"abc"), b"abc")
    assert short_ways[-1] is not None
    long = patch(server, running, "Transfer-Encoding: chunked\r\n", b"3\r\ndef\r\n0\r\n\r\n", range_="3-5")
    assert short_ways[-1] is None
    assert (short[0], long[0]) == (202, 202)
    for name in ("job-status", "x-gitlab-trace-update-interval", "content-length"):
        assert short[1][name] == long[1][name]
    assert (short[1]["range"], long[1]["range"]) == ("0-3", "0-6")
    assert len({short[1]["x-request-id"], long[1]["x-request-id"]}) == 2
    assert log_of(core, running) == b"abcdef"
    assert core.session.get_one(Job, running.id).heard_at is not None


def test_what_is_unusual_or_refused_goes_the_long_way_with_its_body(core, server, running, short_ways):
    assert patch(server, running, sized(b"abc"), b"abc")[0] == 202
    token, running.token = running.token, "wrong"
    assert patch(server, running, sized(b"def"), b"def", range_="3-5")[0] == 403
    assert patch(server, running, sized(b"def"), b"def", f"trace?token={token}", "3-5")[0] == 403  # the header counts
    running.token = token
    assert patch(server, running, sized(b"def"), b"def", range_="7-9")[0] == 416
    assert patch(server, running, sized(b"def"), b"def", range_="3")[0] == 400
    assert patch(server, running, f"Content-Length: {1 << 40}\r\n", range_="3-5")[0] == 413
    assert patch(server, running, sized(b"def"), b"def", "%74race", "3-5")[0] == 202
    assert patch(server, running, "Content-Length: 6\r\n", b"gh", range_="6-11")[0] in (202, 400)
    assert [taken is not None for taken in short_ways] == [True] + [False] * 7
    assert log_of(core, running)[:6] == b"abcdef"


def test_a_piece_that_was_taken_before_something_broke_counts_once(core, server, running, short_ways, monkeypatch):
    append = trace_entrance.append_trace

    def append_and_break(*given):
        append(*given)
        raise OSError

    monkeypatch.setattr(trace_entrance, "append_trace", append_and_break)
    status, headers, _ = patch(server, running, sized(b"abc"), b"abc")
    assert (status, headers["range"]) == (202, "0-3")
    assert short_ways == [None]
    assert log_of(core, running) == b"abc"
