"""The short way for pieces of log, which are most of what a busy server is asked.

To find a view, to open a session and to make an answer costs more than to take 128 kB of log. So a piece that looks as
runners send them, and fits, is taken before all that. Everything else goes the long way, through the view: a request
that is unusual in any respect, a piece that is refused, and whatever goes wrong here. Nothing is decided twice, as a
piece that was taken already may come once more (gitlab.md A.5).
"""

import io
import re
import secrets
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask
from werkzeug.exceptions import BadRequest

from app.api.gitlab_v4.runner.body import read_sized
from app.api.gitlab_v4.runner.jobs import RANGE
from app.http import middleware
from app.services.core import Core
from app.services.runners.append_trace import Appended, append_trace

_PATH = re.compile(r"/api/v4/jobs/([0-9]{1,18})/trace", re.ASCII)
_LENGTH = re.compile(r"[0-9]{1,10}", re.ASCII)

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class TraceEntrance:
    """Takes pieces of log for `app`, and hands all else on to `inner`, which has the view for it."""

    def __init__(self, app: Flask, inner: WsgiApp) -> None:
        self._app, self._inner = app, inner
        self._core: Core = app.extensions["skerry"]
        self._sites = urlsplit(self._core.config.pages_url).netloc

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "PATCH":
            request_id = secrets.token_hex(8)
            taken = self._take(environ, request_id)
            if taken is not None:
                start_response("202 Accepted", _headers(taken, request_id))
                return ()
        return self._inner(environ, start_response)

    def _take(self, environ: dict[str, Any], request_id: str) -> Appended | None:
        """None where the request is to go on. Its body is there still."""
        job = _PATH.fullmatch(environ.get("PATH_INFO", ""))
        sent_range = RANGE.fullmatch(environ.get("HTTP_CONTENT_RANGE", ""))
        token, length = environ.get("HTTP_JOB_TOKEN"), environ.get("CONTENT_LENGTH", "")
        if not job or not sent_range or not token or not _LENGTH.fullmatch(length) or not self._is_usual(environ):
            return None
        start, config = int(sent_range[1]), self._core.config
        if int(length) > config.body_limit or start + int(length) > config.trace_limit:
            return None
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        data = _received(environ, int(length))
        if len(data) < int(length):
            return None
        try:
            with self._app.app_context():
                appended = append_trace(self._core, int(job[1]), token, start, data)
        except Exception:
            return None
        return appended if appended.accepted else None

    def _is_usual(self, environ: dict[str, Any]) -> bool:
        """Whether the path is spelled as it is meant, nothing is said in two ways, and no site's host was asked."""
        hosts = environ.get("HTTP_HOST", ""), environ.get("HTTP_X_FORWARDED_HOST", "")
        return (
            "%" not in environ.get("RAW_URI", "%")
            and "HTTP_TRANSFER_ENCODING" not in environ
            and not (self._sites and self._sites in hosts)
        )


def _received(environ: dict[str, Any], length: int) -> bytes | bytearray:
    """The body, which is there for whoever reads it next as well; where it cannot be read, it cannot be read again."""
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if connection is not None:
        connection.settimeout(middleware.SILENCE)
    try:
        data = read_sized(environ["wsgi.input"], length)
    except BadRequest:
        environ["wsgi.input"] = _Broken()
        return b""
    environ["wsgi.input"] = io.BytesIO(data)
    return data


class _Broken(io.RawIOBase):
    """What is left of a body that could not be read."""

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: Any, /) -> int:
        raise ConnectionError("the body was cut off")


def _headers(appended: Appended, request_id: str) -> list[tuple[str, str]]:
    return [
        ("Range", f"0-{appended.size}"),
        ("Job-Status", appended.job_status),
        ("X-GitLab-Trace-Update-Interval", str(appended.interval)),
        ("X-Request-Id", request_id),
        ("Content-Length", "0"),
    ]
