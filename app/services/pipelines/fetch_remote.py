"""One file from an http or https address that a user names, fetched by this server.

The user must not reach with it what only this server can: the host is resolved once, an address that is not on the
public internet is refused, and the connection goes to the very address that was looked at, so that a name which changes
its mind in between (DNS rebinding) gains nothing. Redirects are followed by the same rules.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread, Timer
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from app.dialects.sources import Unavailable

MOST_REDIRECTS = 5
#: Seconds for one file, redirects and all; less where the whole configuration has less left.
LONGEST = 10.0
_CHUNK = 64 * 1024
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = (301, 302, 303, 307, 308)
_SMALLEST_ERROR = 400
#: Addresses that carry another address, or a network translator's, which could be a private one.
_CARRIERS = tuple(
    ipaddress.ip_network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a fetch may go: the public internet and `networks` (CIDR) beside it; and until when, on the monotonic
    clock.
    """

    networks: tuple[str, ...]
    deadline: float

    def allows(self, text: str) -> bool:
        """Whether a connection to this address may be made."""
        address = ipaddress.ip_address(text.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if any(address in ipaddress.ip_network(network) for network in self.networks):
            return True
        return address.is_global and not address.is_multicast and not any(address in net for net in _CARRIERS)


def fetch_remote(url: str, reach: Reach, limit: int) -> bytes:
    """What is found at `url`, at most `limit` bytes. Raises Unavailable, in GitLab's words (gitlab.md C.12)."""
    deadline = min(reach.deadline, time.monotonic() + LONGEST)
    try:
        return _follow(url, Reach(reach.networks, deadline), limit)
    except TimeoutError:
        problem = "a timeout error"
    except (http.client.HTTPException, ssl.SSLError):
        problem = "HTTP error"
    except OSError:
        # A connection that the timer closed fails in many ways.
        problem = "a timeout error" if time.monotonic() >= deadline else "a socket error"
    raise Unavailable(f"Remote file `{url}` could not be fetched because of {problem}!")


def _follow(url: str, reach: Reach, limit: int) -> bytes:
    current = url
    for _ in range(MOST_REDIRECTS + 1):
        parts = _parts(current)
        if parts is None:
            raise Unavailable(f"Remote file `{url}` does not have a valid address!")
        with _answer(parts, reach) as answer:
            location = answer.getheader("Location")
            if answer.status in _REDIRECTS and location:
                following = urljoin(current, location)
                if parts.scheme == "https" and urlsplit(following).scheme != "https":
                    raise http.client.HTTPException("a redirect away from https")
                current = following
                continue
            if answer.status >= _SMALLEST_ERROR:
                problem = f"HTTP code `{answer.status}` error"
                raise Unavailable(f"Remote file `{url}` could not be fetched because of {problem}!")
            content = _body(answer, url, limit)
            _left(reach)  # what was cut at the deadline may look as if it had ended
            return content
    raise http.client.HTTPException("too many redirects")


def _parts(url: str) -> SplitResult | None:
    """`url` taken apart, or None when it is not one to be fetched: one with a password would be shown in messages."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and parts.hostname and parts.port != 0 and "@" not in parts.netloc
        printable = url.isascii() and url.isprintable() and " " not in url
        return parts if usable and printable else None
    except ValueError:
        return None


@contextmanager
def _answer(parts: SplitResult, reach: Reach) -> Iterator[http.client.HTTPResponse]:
    """The head of the answer, its body yet to be read. The connection is cut at the deadline, whatever it does then."""
    host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
    plain = socket.create_connection((_resolve(host, port, reach), port), timeout=_left(reach))
    cut = Timer(_left(reach), _cut, (plain,))
    cut.daemon = True
    cut.start()
    opened: socket.socket = plain
    try:
        if parts.scheme == "https":
            opened = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        connection = _CONNECTIONS[parts.scheme](host, port)
        connection.sock = opened
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers={"Accept-Encoding": "identity", "User-Agent": "skerry"})
        with connection.getresponse() as answer:
            yield answer
    finally:
        cut.cancel()
        opened.close()
        plain.close()


_CONNECTIONS: dict[str, type[http.client.HTTPConnection]] = {
    "http": http.client.HTTPConnection,
    "https": http.client.HTTPSConnection,
}


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # it has ended by itself
        return


def _left(reach: Reach) -> float:
    left = reach.deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _resolve(host: str, port: int, reach: Reach) -> str:
    """The first address of `host` that may be connected to. Raises Unavailable where there are only others."""
    addresses = _look_up(host, port, _left(reach))
    for address in addresses:
        if reach.allows(address):
            return address
    raise Unavailable("Remote file could not be fetched because requests to the local network are not allowed!")


def _look_up(host: str, port: int, seconds: float) -> list[str]:
    """All addresses of `host`. The system's resolver knows no time limit, so it is left to itself after `seconds`."""
    found: list[Any] = []

    def ask() -> None:
        try:
            found.append([str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    if not found:
        raise TimeoutError
    if isinstance(found[0], list):
        return found[0]
    raise OSError(f"{host} cannot be resolved")


def _body(answer: http.client.HTTPResponse, url: str, limit: int) -> bytes:
    if answer.getheader("Content-Encoding", "identity").lower() != "identity":
        raise http.client.HTTPException("an encoding that was not asked for")
    pieces: list[bytes] = []
    size = 0
    while size <= limit and (piece := answer.read1(_CHUNK)):
        pieces.append(piece)
        size += len(piece)
    if size > limit:
        raise Unavailable(f"Remote file `{url}` could not be fetched because it is larger than {limit} bytes!")
    if answer.length:
        raise http.client.IncompleteRead(b"")
    return b"".join(pieces)
