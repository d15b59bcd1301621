"""The server that tests put in front of an application."""

import socket
import struct
import threading
from collections.abc import Iterator

from flask import Flask, Response

from tests.support.http_server import HttpServer


def test_an_answer_is_closed_though_its_reader_has_gone() -> None:
    app, gone, closed = Flask(__name__), threading.Event(), threading.Event()

    @app.get("/")
    def long() -> Response:
        def parts() -> Iterator[bytes]:
            yield b"all"
            gone.wait(10)

        answer = Response(parts(), headers={"Content-Length": "3"})
        answer.call_on_close(closed.set)
        return answer

    server = HttpServer(app)
    client = socket.create_connection(server.server_address)
    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    received = b""
    while not received.endswith(b"all"):
        received += client.recv(1000)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()  # by a reset: what the server reads now fails
    gone.set()
    server.stop()
    assert closed.is_set()
