"""An application behind real HTTP, in threads of this process, which leaves nothing open behind."""

import io
import socket
import threading
from contextlib import suppress
from typing import Any

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler


class _Reader(io.BufferedReader):
    """A client that has gone has nothing more to say.

    At the end of an answer Werkzeug reads what the client may still be sending, and only then closes the answer: were
    that reading to fail, the file or the generator in the answer would stay open until the garbage collector comes.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        try:
            return super().read(size)
        except ConnectionError:
            return b""


class _Handler(WSGIRequestHandler):
    def setup(self) -> None:
        super().setup()
        self.rfile = _Reader(self.rfile.detach())


class HttpServer(ThreadedWSGIServer):
    """`app` on a free port of 127.0.0.1, each request in a thread. `url` has no slash at the end."""

    def __init__(self, app: Flask) -> None:
        super().__init__("127.0.0.1", 0, app, handler=_Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._talks: list[tuple[threading.Thread, socket.socket]] = []
        self._accepting = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, name="accepting", daemon=True
        )
        self._accepting.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), name="request", daemon=True
        )
        self._talks = [(one, its) for one, its in self._talks if one.is_alive()] + [(thread, request)]
        thread.start()

    def stop(self) -> None:
        """Accept nothing more, hang up, and wait until the threads of all requests have ended."""
        self.shutdown()
        self._accepting.join(10)
        for _, connection in self._talks:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread, _ in self._talks:
            thread.join(30)
        self.server_close()
