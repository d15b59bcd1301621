"""What wraps the application: trusted proxies, raw paths (so that `%2F` stays inside its segment), request ids, and
an end for connections on which nothing moves.
"""

import ipaddress
import re
import secrets
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

import structlog
from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter, PathConverter, UnicodeConverter, ValidationError

from app.config import Config
from app.http.ordered_request import OrderedRequest

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: A client that neither sends nor reads for so many seconds loses its connection, and we get our thread back.
SILENCE = 600

_KEPT = re.compile(rb"%(?:2[Ff5]|(?![0-9A-Fa-f]{2}))")
_ASCII = "".join(map(chr, range(128)))
_SEGMENT_SAFE = "!$&'()*+,:;=@"


class TrustedProxies:
    """Believes X-Forwarded-* only when the request comes from an address that SKERRY_TRUSTED_PROXIES names."""

    def __init__(self, app: WsgiApp, networks: tuple[str, ...]) -> None:
        self._app = app
        self._behind_proxy = ProxyFix(app, x_for=1, x_proto=1, x_host=1, x_prefix=1)
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        trusted = self._trusts(environ.get("REMOTE_ADDR", ""))
        return (self._behind_proxy if trusted else self._app)(environ, start_response)

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:  # a unix socket has no address: whoever reaches it is the proxy in front
            return not address
        return any(parsed in network for network in self._networks)


class RawPaths:
    """Routes on the path as it was sent: `group%2Fproject` is one segment, though servers hand over `group/project`.

    `%2F`, `%25` and stray `%` stay encoded in PATH_INFO; the converters of `decode_segments` decode them, once.
    A PATH_INFO that is not the raw target decoded was changed on purpose by someone in front, and is left alone.
    Bytes of the query that are not ASCII are encoded.
    """

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        raw = _raw_path(environ)
        if b"%" in raw:
            prefix = environ.get("SCRIPT_NAME", "")
            path = environ.get("PATH_INFO", "")
            decoded = unquote_to_bytes(raw).decode("latin-1")
            if decoded == path:
                environ["PATH_INFO"] = _kept(raw)
            elif prefix and decoded == prefix + path:
                environ["PATH_INFO"] = _kept(raw).removeprefix(prefix)
        query = environ.get("QUERY_STRING", "")
        if not query.isascii():  # nothing but ASCII belongs there; Werkzeug fails on bytes that are no UTF-8
            environ["QUERY_STRING"] = quote(query.encode("latin-1"), safe=_ASCII)
        return self._app(environ, start_response)


def _raw_path(environ: dict[str, Any]) -> bytes:
    """The path of the request's target, undecoded: gunicorn calls it RAW_URI, Werkzeug REQUEST_URI."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if not target.startswith("/"):
        target = urlsplit(target).path if "://" in target else ""
    return bytes(target.partition("?")[0].partition("#")[0], "latin-1")


def _kept(raw: bytes) -> str:
    """`raw` decoded but for `%2F` and `%25`; a `%` that begins no code comes out as `%25`."""
    return unquote_to_bytes(_KEPT.sub(lambda match: b"%25" + (match[0][1:] or b"25"), raw)).decode("latin-1")


def _decoded(value: str) -> str:
    """`value` decoded. With a NUL in it it names nothing, and no database would take it: the route does not match."""
    decoded = unquote(value)
    if "\0" in decoded:
        raise ValidationError
    return decoded


class _Segment(UnicodeConverter):
    """One segment of a path. What is encoded in it (a project's full path) comes out decoded."""

    def to_python(self, value: str) -> str:
        return _decoded(value)

    def to_url(self, value: Any) -> str:
        return quote(str(value), safe=_SEGMENT_SAFE)


class _Path(PathConverter):
    """Several segments."""

    def to_python(self, value: str) -> str:
        return _decoded(value)


def decode_segments(app: Flask) -> None:
    """Give `app` the converters that belong to RawPaths. Rules that were added before keep the old ones."""
    converters: dict[str, type[BaseConverter]] = {"default": _Segment, "string": _Segment, "path": _Path}
    app.url_map.converters.update(converters)
    app.url_map.merge_slashes = False


def identify_requests(app: Flask) -> None:
    """Every answer carries X-Request-Id, and every log line of the request the same `request_id`."""

    @app.before_request
    def _begin() -> None:
        g.request_id = secrets.token_hex(8)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def _end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        return response


def give_up_on_the_silent(app: Flask) -> None:
    """No read of a body and no write of an answer waits longer than SILENCE for the client."""

    @app.before_request
    def _bound() -> None:
        socket = request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")
        if socket is not None:
            socket.settimeout(SILENCE)


def install(app: Flask, config: Config) -> None:
    """Before any blueprint: rules take the converters that they find."""
    app.request_class = OrderedRequest
    decode_segments(app)
    identify_requests(app)
    give_up_on_the_silent(app)
    app.wsgi_app = RawPaths(app.wsgi_app)  # type: ignore[method-assign]
    if config.trusted_proxies:
        app.wsgi_app = TrustedProxies(app.wsgi_app, config.trusted_proxies)  # type: ignore[method-assign]
