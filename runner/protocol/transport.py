"""One HTTP session to one server: the retries of gitlab.md A.0, connections that can be half closed, errors
as values.
"""

import contextlib
import random
import socket
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from runner.protocol.info import USER_AGENT

CONNECT_TIMEOUT = 10.0
ATTEMPTS = 5
_REDIRECTS = 3
_RETRIED = frozenset((408, 429, 500, 502, 503, 504))


class UnreachableError(Exception):
    """No answer: the server is away, or the connection broke. Says nothing about whether the request was taken."""


class Connections:
    """The open sockets of a session, so that a waiting request can be told from outside that its caller is leaving."""

    def __init__(self) -> None:
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._lock = threading.Lock()

    def add(self, sock: socket.socket) -> None:
        with self._lock:
            self._sockets.add(sock)

    def half_close(self) -> None:
        """Close our sending side. The server sees the end of the stream, an answer on its way can still be read."""
        with self._lock:
            sockets = list(self._sockets)
        for sock in sockets:
            # The plain socket's method: the TLS one would give up the encryption, and with it the answer.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_WR)


def _tracked(base: type, connections: Connections) -> type:
    class Tracked(base):
        def connect(self) -> None:
            super().connect()
            connections.add(self.sock)

    return Tracked


class _Adapter(HTTPAdapter):
    """Keeps connections open and reports each new one."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        super().__init__(pool_connections=4, pool_maxsize=100)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        http = type(
            "Pool", (urllib3.HTTPConnectionPool,), {"ConnectionCls": _tracked(HTTPConnection, self._connections)}
        )
        https = type(
            "Pool", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": _tracked(HTTPSConnection, self._connections)}
        )
        self.poolmanager.pool_classes_by_scheme = {"http": http, "https": https}


class Transport:
    """Requests to `<url>/api/v4/…`. `ca_file` replaces the system's certificate authorities. Safe to share between
    threads.
    """

    def __init__(self, url: str, ca_file: str = "") -> None:
        self._base = f"{url}/api/v4"
        self.connections = Connections()
        self._session = requests.Session()
        # Neither a netrc file nor a proxy variable of the account that runs us may change where a token goes.
        self._session.trust_env = False
        self._session.verify = ca_file or True
        self._session.headers["User-Agent"] = USER_AGENT
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(self.connections))
        self._elsewhere = requests.Session()
        self._elsewhere.trust_env = False
        self._elsewhere.max_redirects = _REDIRECTS

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        stop: threading.Event | None = None,
        attempts: int = ATTEMPTS,
        timeout: float = 60.0,
        body: Callable[[], Any] | None = None,
        **options: Any,
    ) -> requests.Response:
        """One call, tried again on the statuses that ask for it; waiting in between ends when `stop` is set.

        `body` makes the data to send, anew for each try. Redirects within the server are followed with method and
        body as they were, others are given back: a token never goes to another host. Raises UnreachableError.
        """
        url = self._base + path
        redirects = 0
        attempt = 1
        while True:
            response = self._once(method, url, headers, timeout, {**options, "data": body() if body else None})
            target = self._redirected(response)
            if target and redirects < _REDIRECTS:
                url, redirects = target, redirects + 1
                options.pop("params", None)  # they are in the address that we were given
            elif attempt == attempts or not _is_retried(response.status_code) or _leaves(stop, response, attempt):
                return response
            else:
                attempt += 1
            response.close()

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], timeout: float, options: Mapping[str, Any]
    ) -> requests.Response:
        try:
            return self._session.request(
                method,
                url,
                headers={"X-Request-Id": uuid.uuid4().hex, **headers},
                timeout=(CONNECT_TIMEOUT, timeout),
                allow_redirects=False,
                **options,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            # ValueError: requests looks at a redirect even where it shall not follow, and fails on no address.
            raise UnreachableError(_reason(error)) from error

    def _redirected(self, response: requests.Response) -> str:
        """Where the same server (scheme, host, port) wants the request instead, or "". It may turn http into https."""
        if response.status_code not in (301, 302, 307, 308):
            return ""
        target = redirect_target(response)
        old, new = urlsplit(response.url), urlsplit(target)
        upgraded = (old.scheme, new.scheme) == ("http", "https")
        same = upgraded or (new.scheme, _port(new)) == (old.scheme, _port(old))
        return target if same and new.hostname == old.hostname else ""

    def fetch_elsewhere(self, url: str, timeout: float) -> requests.Response:
        """GET an address that the server redirected to, such as one of its object storage. Nothing of ours goes along:
        no token, no password that the account keeps for that host. The body is still to be read. Raises
        UnreachableError.
        """
        try:
            return self._elsewhere.get(url, stream=True, timeout=(CONNECT_TIMEOUT, timeout))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise UnreachableError(_reason(error)) from error

    def close(self) -> None:
        self._session.close()
        self._elsewhere.close()


def redirect_target(response: requests.Response) -> str:
    """The address that a redirect names; "" where that is none."""
    try:
        target = urljoin(response.url, response.headers.get("Location", ""))
        return target if urlsplit(target).port != 0 else ""
    except ValueError:  # no address, or no port that there could be
        return ""


def _port(address: SplitResult) -> int | None:
    return address.port or {"http": 80, "https": 443}.get(address.scheme)


def _leaves(stop: threading.Event | None, response: requests.Response, attempt: int) -> bool:
    """Wait before the next try; True when the caller does not want one any more."""
    return (stop or threading.Event()).wait(retry_after(response.headers, attempt))


def _is_retried(status: int) -> bool:
    return status in _RETRIED or status >= 512


def retry_after(headers: Mapping[str, str], attempt: int) -> float:
    """Seconds to wait before the next try: what the server asks for, else a growing time with some chance in it."""
    reset = headers.get("RateLimit-ResetTime")
    if reset:
        with contextlib.suppress(ValueError, TypeError):
            return min(60.0, max(0.0, parsedate_to_datetime(reset).timestamp() - time.time()))
    after = headers.get("Retry-After", "")
    if after.isascii() and after.isdigit():
        return min(60.0, float(after))
    return min(60.0, 0.1 * 2**attempt * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, guards nothing


def _reason(error: Exception) -> str:
    """The error's kind and no more: a message may quote the address with what is in its query."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, OSError | urllib3.exceptions.HTTPError):
        inner = inner.__cause__ or inner.__context__
    return (
        type(error).__name__ if inner is None or inner is error else f"{type(error).__name__} ({type(inner).__name__})"
    )
