"""The client of Podman's REST API, against a socket that plays Podman."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.executor.podman_api import FrameDecoder, PodmanClient, PodmanError

Answer = Callable[[bytes], PodmanClient]


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Answer]:
    """A client of a server that gives one fixed answer to everything and then hangs up."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "podman.sock"))
    listener.listen()

    def start(answer: bytes) -> PodmanClient:
        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return PodmanClient(tmp_path / "podman.sock")

    yield start
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def http(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def frame(payload: bytes, stream: int = 1) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


def test_an_answer_is_decoded(answering: Answer) -> None:
    assert answering(http("200 OK", b'{"Id": "x"}')).request("GET", "/x") == {"Id": "x"}


def test_an_empty_answer_is_none(answering: Answer) -> None:
    assert answering(http("204 No Content", b"")).request("DELETE", "/x") is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"cause": "inner", "message": "outer: inner"}', "outer: inner"),
        (b'{"cause": "inner"}', "inner"),
        (b"plain words", "plain words"),
        (b"", "Podman gave no reason"),
        (b"[]", "[]"),
    ],
)
def test_a_refusal_has_podmans_words_and_status(body: bytes, message: str, answering: Answer) -> None:
    client = answering(http("404 Not Found", body))
    for call in (lambda: client.request("GET", "/x"), lambda: client.attach("x")):
        with pytest.raises(PodmanError) as caught:
            call()
        assert (str(caught.value), caught.value.status) == (message, 404)


def test_nobody_there_is_an_error(tmp_path: Path) -> None:
    client = PodmanClient(tmp_path / "none.sock")
    for call in (lambda: client.request("GET", "/x"), lambda: client.attach("x")):
        with pytest.raises(PodmanError):
            call()


def test_a_cut_answer_is_an_error(answering: Answer) -> None:
    with pytest.raises(PodmanError):
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{").request("GET", "/x")


def test_a_cut_head_is_an_error(answering: Answer) -> None:
    with pytest.raises(PodmanError):
        answering(b"HTTP/1.1 20").attach("x")


def test_attached_output_is_complete_when_it_comes_with_the_answers_head(answering: Answer) -> None:
    output = frame(b"first ") + frame(b"second", stream=2)
    stream = answering(b"HTTP/1.1 101 UPGRADED\r\n\r\n" + output).attach("x")
    received = b""
    while (piece := stream.read(5)) is not None:
        received += piece
    stream.close()
    assert received == b"first second"


@given(st.lists(st.binary(max_size=30), max_size=8), st.lists(st.integers(1, 12), min_size=1, max_size=8))
def test_frames_may_be_cut_anywhere(payloads: list[bytes], cuts: list[int]) -> None:
    wire = b"".join(frame(payload, 1 + number % 2) for number, payload in enumerate(payloads))
    decoder, received, number = FrameDecoder(), b"", 0
    while wire:
        size = cuts[number % len(cuts)]
        received += decoder.feed(wire[:size])
        wire, number = wire[size:], number + 1
    assert received == b"".join(payloads)
