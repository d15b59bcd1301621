"""A way from a job to a server that listens on this host's loopback only.

Inside the container 127.0.0.1 is the container's own. So the runner lets its helper make a listening socket on the
server's port *inside* the container's network namespace, accepts on it from outside, and carries the bytes to the
server. Nothing runs in the container, no other port of the host can be reached, and it costs a millisecond. The price:
a job cannot bind that one port on its own loopback.

Which addresses are the server's is for the administrator to say, and for a server on this very host: never for a
server elsewhere, nor for a job, either of which could otherwise name any port of this host (`server_urls`).
"""

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

PIECE = 1 << 16
CONNECTIONS = 128
CONNECT_SECONDS = 10.0
DEFAULT_PORTS = {"http": 80, "https": 443}
Place = tuple[str, int]  # address and port


def server_urls(runner_url: str, clone_url: str, repository_url: str) -> tuple[str, ...]:
    """The addresses by which jobs know the server: the administrator's two, and the one that the server itself names
    (`git_info.repo_url`), which is heard where the server is on this host's loopback anyway.
    """
    urls = [runner_url, clone_url]
    if targets([runner_url]):
        urls.append(repository_url)
    return tuple(url for url in urls if url)


def targets(urls: Iterable[str]) -> dict[Place, Place]:
    """What to listen on inside, and where that leads outside, for those of `urls` that are on this host's loopback."""
    found: dict[Place, Place] = {}
    for url in urls:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        for address in _loopbacks(host) if port else ():
            found.setdefault((address, port), (host, port))
    return found


def _loopbacks(host: str) -> tuple[str, ...]:
    """The loopback addresses that `host` means, none where it can be reached by the network."""
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1", "::1"
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return (host,)
    return ()


class Relay:
    """Accepts on listeners, given as descriptors that it takes over, and joins each connection with a new one to the
    listener's target.
    """

    def __init__(self, listeners: Sequence[tuple[int, Place]]) -> None:
        self._closed = threading.Event()
        self._places = threading.BoundedSemaphore(CONNECTIONS)
        self._listeners = []
        for descriptor, target in listeners:
            listener = socket.socket(fileno=descriptor)
            self._listeners.append(listener)
            threading.Thread(target=self._accept, args=(listener, target), name="relay", daemon=True).start()

    def close(self) -> None:
        """Stop accepting. Connections end with the container, whose end of them is gone then."""
        self._closed.set()
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept(), which closing alone does not
            listener.close()

    def _accept(self, listener: socket.socket, target: Place) -> None:
        while not self._closed.is_set():
            self._places.acquire()
            try:
                near, _ = listener.accept()
            except OSError:
                self._places.release()
                return
            threading.Thread(target=self._join, args=(near, target), name="relay", daemon=True).start()

    def _join(self, near: socket.socket, target: Place) -> None:
        """One connection, with a thread for each direction: neither can hold up the other."""
        try:
            with near, socket.create_connection(target, CONNECT_SECONDS) as far:
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
