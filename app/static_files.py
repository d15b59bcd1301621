"""The pages' own scripts, styles and pictures.

Their addresses hold a fingerprint of all of them, `/-/static/FINGERPRINT/js/main.js`: a browser keeps a file without
ever asking for it again, and scripts, which name each other by relative addresses, always fit together.
"""

import hashlib
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, send_from_directory

from app import assets

_KEPT_FOR = timedelta(days=365)


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
        return answer

    @app.url_defaults
    def add_fingerprint(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values.setdefault("fingerprint", today)

    app.add_url_rule("/-/static/<fingerprint>/<path:filename>", endpoint="static", view_func=static)


@cache
def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]
