"""A small HTTP client for Podman's REST API on its unix socket, with the one call that no SDK offers: attach.

Paths are those of `/v4.0.0/libpod`, which every Podman since 4.0 serves. Output comes through `attach` opened before
`start`: `logs?follow=true` loses the end of a container's output (design, "Podman: facts measured").
"""

import contextlib
import http.client
import json
import re
import select
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from runner.executor.base import ExecutorError

BASE = "/v4.0.0/libpod"
SECONDS = 60.0
FRAME_HEADER = 8
RECEIVE = 1 << 18


class PodmanError(ExecutorError):
    """Podman refused or could not be reached. `status` is the HTTP status, 0 where there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class PodmanClient:
    """Requests to one Podman service. Thread-safe: each request has a connection of its own (connecting takes 0.1
    ms).
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        timeout: float = SECONDS,
    ) -> Any:
        """One request; returns the decoded JSON answer, None where it is empty. Raises PodmanError."""
        connection = UnixConnection(self.path, timeout)
        target = f"{BASE}{path}?{urlencode(query or {})}"
        try:
            payload = json.dumps(body).encode() if body is not None else None
            connection.request(method, target, payload, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise PodmanError(f"Podman does not answer: {error or type(error).__name__}") from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise PodmanError(message_of(content), answer.status)
        return json.loads(content) if content.strip() else None

    def attach(self, container: str) -> "AttachedStream":
        """Open the container's stdin and output. On a container that was only created, this sets its runtime up as
        well.
        """
        query = urlencode({"stream": "true", "stdin": "true", "stdout": "true", "stderr": "true"})
        target = f"{BASE}/containers/{quote(container)}/attach?{query}"
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(SECONDS)
            connection.connect(str(self.path))
            connection.sendall(
                f"POST {target} HTTP/1.1\r\nHost: podman\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
                "Content-Length: 0\r\n\r\n".encode()
            )
            head, rest = read_head(connection)
        except OSError as error:
            connection.close()
            raise PodmanError(f"Podman does not attach: {error}") from error
        status = int(head.split(b" ", 2)[1])
        if status not in (101, 200):
            with connection:
                raise PodmanError(message_of(read_body(connection, head, rest)), status)
        return AttachedStream(connection, rest)


class UnixConnection(http.client.HTTPConnection):
    """http.client over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("podman", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class FrameDecoder:
    """Podman's multiplexed output turned back into bytes: 8 bytes of header (stream, length) before each piece."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._remaining = 0

    def feed(self, data: bytes) -> bytes:
        """The output in `data`, both streams in the order of their arrival. Frames may be cut anywhere."""
        parts: list[memoryview] = []
        view = memoryview(data)
        position, end = 0, len(data)
        while position < end:
            if self._remaining:
                taken = min(self._remaining, end - position)
                parts.append(view[position : position + taken])
                self._remaining -= taken
            else:
                taken = min(FRAME_HEADER - len(self._header), end - position)
                self._header += view[position : position + taken]
                if len(self._header) == FRAME_HEADER:
                    self._remaining = int.from_bytes(self._header[4:], "big")
                    self._header.clear()
            position += taken
        return b"".join(parts)


class AttachedStream:
    """A container's stdin and its output. One thread reads; `send` and `close` are fine from others."""

    def __init__(self, connection: socket.socket, received: bytes) -> None:
        self._socket = connection
        self._socket.settimeout(SECONDS)
        self._decoder = FrameDecoder()
        self._received = received

    def send(self, data: bytes) -> None:
        """Write to the container's stdin. Raises PodmanError when the container is gone."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise PodmanError(f"The container does not listen: {error}") from error

    def read(self, timeout: float) -> bytes | None:
        """Some output; b"" when nothing came within `timeout` seconds; None at the end, when the container is gone."""
        if self._received:
            received, self._received = self._received, b""
            return self._decoder.feed(received)
        try:
            if not select.select([self._socket], [], [], timeout)[0]:
                return b""
            data = self._socket.recv(RECEIVE)
        except (OSError, ValueError):  # ValueError: closed by another thread while this one slept
            return None
        return self._decoder.feed(data) if data else None

    def close(self) -> None:
        self._socket.close()


def read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    """An HTTP answer's head, and what came after it."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(4096)
        if not piece:
            raise OSError("the connection was closed")
        received += piece
    head, _, rest = received.partition(b"\r\n\r\n")
    return head, rest


def read_body(connection: socket.socket, head: bytes, body: bytes) -> bytes:
    """The rest of an HTTP answer that gives its length; else what has come so far."""
    found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    with contextlib.suppress(OSError):
        while found and len(body) < int(found.group(1)) and (piece := connection.recv(4096)):
            body += piece
    return body


def message_of(content: bytes) -> str:
    """Podman's own words for an error: `cause` is the innermost, `message` the whole chain."""
    try:
        answer = json.loads(content)
        return str(answer.get("message") or answer.get("cause") or "Podman gave no reason")
    except (ValueError, AttributeError):
        return content.decode("utf-8", "replace").strip() or "Podman gave no reason"
