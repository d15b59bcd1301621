"""The relay between a job's network and the server, with two ordinary sockets at its ends."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from runner.executor.podman_relay import Relay, server_urls, targets

Connect = Callable[[tuple[str, int]], socket.socket]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """A connection through a relay to the given target."""
    opened: list[Relay | socket.socket] = []

    def through(target: tuple[str, int]) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", 0))
        address = listener.getsockname()
        opened.append(Relay([(listener.detach(), target)]))
        connection = socket.create_connection(address, 5)
        opened.append(connection)
        return connection

    yield through
    for one in reversed(opened):
        one.close()


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that sends back, backwards, what it has read to the end."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as file:
                connection.sendall(file.read()[::-1])

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_both_directions_are_carried_and_a_half_close_is_passed_on(connect: Connect, echo: tuple[str, int]) -> None:
    connection = connect(echo)
    sent = bytes(range(256)) * 5_000
    connection.sendall(sent)
    connection.shutdown(socket.SHUT_WR)
    with connection.makefile("rb") as file:
        assert file.read() == sent[::-1]


def test_a_server_that_is_away_ends_the_connection(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    assert connect(address).recv(1) == b""


def test_a_closed_relay_accepts_nothing() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    Relay([(listener.detach(), ("127.0.0.1", 1))]).close()
    with pytest.raises(OSError):
        socket.create_connection(address, 5)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://127.0.0.1:8000", {("127.0.0.1", 8000): ("127.0.0.1", 8000)}),
        ("http://127.0.0.2", {("127.0.0.2", 80): ("127.0.0.2", 80)}),
        ("https://[::1]/ci", {("::1", 443): ("::1", 443)}),
        ("http://localhost:1/", {("127.0.0.1", 1): ("localhost", 1), ("::1", 1): ("localhost", 1)}),
        ("http://ci.localhost:1", {("127.0.0.1", 1): ("ci.localhost", 1), ("::1", 1): ("ci.localhost", 1)}),
        ("https://ci.example.org", {}),
        ("http://10.0.0.1:8000", {}),
        ("file:///etc", {}),
        ("", {}),
    ],
)
def test_only_addresses_on_loopback_need_a_way(url: str, found: dict[tuple[str, int], tuple[str, int]]) -> None:
    assert targets([url]) == found


def test_two_names_of_one_place_are_opened_once() -> None:
    assert targets(["http://127.0.0.1:1", "http://localhost:1"]) == {
        ("127.0.0.1", 1): ("127.0.0.1", 1),
        ("::1", 1): ("localhost", 1),
    }


def test_a_server_elsewhere_can_name_no_port_of_this_host() -> None:
    near, far = "http://127.0.0.1:8000", "https://ci.example.org"
    assert server_urls(far, "", "http://u:p@127.0.0.1:5432/g/p.git") == (far,)
    assert server_urls(near, "", "http://u:p@localhost:9000/g/p.git") == (near, "http://u:p@localhost:9000/g/p.git")
    assert server_urls(far, near, "") == (far, near)
