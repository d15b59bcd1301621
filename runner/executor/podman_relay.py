"""A way from a job to a server that listens on this host's loopback only.

Inside the container 127.0.0.1 is the container's own. So the runner lets its helper make a listening socket on the
server's port *inside* the container's network namespace, accepts on it from outside, and carries the bytes to the
server. Nothing runs in the container, no other port of the host can be reached, and it costs a millisecond. The price:
a job cannot bind that one port on its own loopback.
"""

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Sequence
from urllib.parse import urlsplit

PIECE = 1 << 16
CONNECTIONS = 128
CONNECT_SECONDS = 10.0
DEFAULT_PORTS = {"http": 80, "https": 443}


def loopback_target(url: str) -> tuple[str, int] | None:
    """(host, port) of `url` where that is this host's loopback, None where the server can be reached by the network."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    if not port:
        return None
    if host == "localhost" or host.endswith(".localhost"):
        return "localhost", port
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return host, port
    return None


class Relay:
    """Accepts on `listeners` (descriptors that it takes over) and joins each connection with a new one to `target`."""

    def __init__(self, listeners: Sequence[int], target: tuple[str, int]) -> None:
        self._target = target
        self._closed = threading.Event()
        self._places = threading.BoundedSemaphore(CONNECTIONS)
        self._listeners = [socket.socket(fileno=descriptor) for descriptor in listeners]
        for listener in self._listeners:
            threading.Thread(target=self._accept, args=(listener,), name="relay", daemon=True).start()

    def close(self) -> None:
        """Stop accepting. Connections end with the container, whose end of them is gone then."""
        self._closed.set()
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept(), which closing alone does not
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while not self._closed.is_set():
            self._places.acquire()
            try:
                near, _ = listener.accept()
            except OSError:
                self._places.release()
                return
            threading.Thread(target=self._join, args=(near,), name="relay", daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        """One connection, with a thread for each direction: neither can hold up the other."""
        try:
            with near, socket.create_connection(self._target, CONNECT_SECONDS) as far:
                far.settimeout(None)
                near.settimeout(None)
                answers = threading.Thread(target=pump, args=(far, near), name="relay", daemon=True)
                answers.start()
                pump(near, far)
                answers.join()
        except OSError:
            pass  # the job sees its connection end, as it would without a relay
        finally:
            self._places.release()


def pump(source: socket.socket, destination: socket.socket) -> None:
    """Copy until `source` ends, then say so to `destination`. An error on either side ends both."""
    try:
        while data := source.recv(PIECE):
            destination.sendall(data)
        destination.shutdown(socket.SHUT_WR)
    except OSError:
        for side in (source, destination):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
