"""Bodies that are read from the socket itself: the same bytes as gunicorn's own readers give, and not one more.

The requests go through gunicorn's parser over a pair of sockets, so that these tests also tell when a new release of it
is made differently: then `read_directly` would leave bodies as they are.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from app.config import Config as Settings
from app.http.socket_body import SocketBody, read_directly
from app.serve import settings

BODY = bytes(range(256)) * 2048
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"


def head(framing: str) -> bytes:
    return f"PATCH /first HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode()


def sized(body: bytes) -> bytes:
    return head(f"Content-Length: {len(body)}") + body


def chunked(*pieces: bytes) -> bytes:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))
    return head("Transfer-Encoding: chunked") + chunks


@contextmanager
def connection(*sent: bytes, ends: bool = True) -> Iterator[Any]:
    """gunicorn's parser of a connection on which the client sends each of `sent`, and says then that it is done."""
    ours, theirs = socket.socketpair()

    def send() -> None:
        with suppress(BrokenPipeError):  # nobody reads all of it
            for piece in sent:
                theirs.sendall(piece)
            if ends:
                theirs.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    with theirs:
        with ours:
            sender.start()
            yield RequestParser(Config(), ours, ("127.0.0.1", 1))
        sender.join()


def request_of(parser: Any) -> Any:
    request = next(parser)
    read_directly(None, request)
    return request


FRAMED = {
    "with its length": sized(BODY),
    "in one chunk": chunked(BODY),
    "in many chunks": chunked(*(BODY[at : at + 1000] for at in range(0, len(BODY), 1000))),
}


@pytest.mark.parametrize("sent", FRAMED.values(), ids=FRAMED.keys())
def test_what_was_sent_is_read_and_the_next_request_is_still_there(sent: bytes) -> None:
    for size in (-1, 1, 1000, 100_000, len(BODY), 2 * len(BODY)):
        with connection(sent + NEXT) as parser:
            body = request_of(parser).body
            assert isinstance(body, SocketBody)
            assert body.read(size) == (BODY[:size] if size >= 0 else BODY)
            rest = bytearray(len(BODY))
            count = body.readinto(rest)
            assert bytes(rest[:count]) == (BODY[size:] if size >= 0 else b"")
            assert body.read() == b""
            body.close()  # which leaves the connection as it is
            assert request_of(parser).path == "/next"


@examples(max_examples=40)
@given(st.lists(st.binary(min_size=1, max_size=20_000), max_size=5), st.data())
def test_no_way_to_cut_the_stream_changes_anything(pieces: list[bytes], data: st.DataObject) -> None:
    body = b"".join(pieces)
    stream = data.draw(st.sampled_from([sized(body), chunked(*pieces)])) + NEXT
    cut = data.draw(st.integers(0, len(stream)))
    with connection(stream[:cut], stream[cut:]) as parser:
        assert request_of(parser).body.read() == body
        assert request_of(parser).path == "/next"


@pytest.mark.parametrize("sent", FRAMED.values(), ids=FRAMED.keys())
def test_what_nobody_reads_is_taken_off_the_connection(sent: bytes) -> None:
    with connection(sent + NEXT) as parser:
        assert request_of(parser).body.read(10) == BODY[:10]
        assert request_of(parser).path == "/next"
    with connection(sent + NEXT) as parser:
        assert not request_of(parser).body.failed
        assert not parser.finish_body(max_bytes=1000)  # but not without end


def test_a_body_that_is_cut_off_ends_where_it_was_cut() -> None:
    with connection(sized(BODY)[:-1000]) as parser:
        assert request_of(parser).body.read() == BODY[:-1000]


@pytest.mark.parametrize(
    "rest",
    [
        b"5\r\nabcdeX",
        b"5\r\nabcde\r\nX\r\n",
        b"FFFFFFFF\r\nabc",
        b"5\r\nabcde\r\n",
        b"0\r\n",
        b"5;\x00\r\nabcde\r\n0\r\n\r\n",
    ],
    ids=["no end of a chunk", "no size", "cut off in a chunk", "cut off between chunks", "no end", "no extension"],
)
def test_a_chunked_body_that_is_wrong_raises_and_spoils_the_connection(rest: bytes) -> None:
    with connection(head("Transfer-Encoding: chunked") + rest) as parser:
        body = request_of(parser).body
        with pytest.raises((ParseException, OSError)):
            body.read()
        assert body.failed
        assert not parser.finish_body()


def test_a_client_that_falls_silent_is_not_waited_for() -> None:
    with connection(sized(BODY)[:-1], ends=False) as parser:
        body = request_of(parser).body
        parser.unreader.sock.settimeout(0.01)
        with pytest.raises(TimeoutError):
            body.read()
        assert body.failed
        assert not parser.finish_body()


def test_requests_without_a_body_are_left_alone() -> None:
    for sent in (NEXT, sized(b"")):
        with connection(sent) as parser:
            request = next(parser)
            before = request.body
            read_directly(None, request)
            assert request.body is before


def test_the_server_reads_so(tmp_path: Path) -> None:
    assert settings(Settings(data_dir=tmp_path, database_url="sqlite://"))["pre_request"] is read_directly
