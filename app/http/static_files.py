"""The pages' own scripts, styles and pictures.

Their addresses hold a fingerprint of all of them, `/-/static/FINGERPRINT/js/main.js`: a browser keeps a file without
ever asking for it again, and scripts, which name each other by relative addresses, always fit together.

What is text travels packed, a third as long. Pages do not: they hold a form's token beside text that others wrote, and
the length of a packed page tells of both (BREACH).
"""

import gzip
import hashlib
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Request, Response, request, send_from_directory
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from app import assets

_KEPT_FOR = timedelta(days=365)
_TEXT = frozenset({"text/css", "text/javascript", "application/javascript", "image/svg+xml"})


class _PageSessions(SecureCookieSessionInterface):
    """Flask-Login looks into every session, and an answer for which that was done differs by cookie: none of these.

    Whoever sends no cookie, as all do that are no browsers, has nothing to be opened.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if request.endpoint != "static":
            super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    """Serve the files, and let `url_for("static", filename="js/main.js")` give the address of today's."""
    folder = assets.folder("static")
    today = _fingerprint(folder)

    def static(fingerprint: str, filename: str) -> Response:
        """A page from before an upgrade asks for files of its own time and gets ours: better than none."""
        known = fingerprint == today
        answer = send_from_directory(folder, filename, max_age=int(_KEPT_FOR.total_seconds()) if known else None)
        answer.cache_control.immutable = known
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return _packed(answer, request)

    app.session_interface = _PageSessions()

    @app.url_defaults
    def add_fingerprint(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values.setdefault("fingerprint", today)

    app.add_url_rule("/-/static/<fingerprint>/<path:filename>", endpoint="static", view_func=static)


def _packed(answer: Response, to: Request) -> Response:
    """A whole file, packed for a browser that can unpack it."""
    if answer.mimetype not in _TEXT:
        return answer
    answer.vary.add("Accept-Encoding")
    if answer.status_code != 200 or not to.accept_encodings["gzip"]:
        return answer
    answer.direct_passthrough = False
    answer.set_data(_pack(answer.get_data()))
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers.pop("Accept-Ranges", None)
    tag, _ = answer.get_etag()
    if tag:
        answer.set_etag(tag, weak=True)  # the same file, in other bytes
    return answer


@lru_cache(maxsize=128)
def _pack(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


@cache
def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]
