"""Calls of an API as its clients send them, and what they cost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from app.extensions import db


@dataclass
class Calls:
    """Calls below `prefix`, but for paths that begin with one of `elsewhere`. `token` signs in; None calls without."""

    client: FlaskClient
    token: str | None = None

    prefix: ClassVar[str] = ""
    elsewhere: ClassVar[tuple[str, ...]] = ()

    def headers(self, token: str) -> dict[str, str]:
        """How this API is told who calls."""
        raise NotImplementedError

    def __call__(self, method: str, path: str, *, token: str | None = "", **given: Any) -> TestResponse:
        chosen = self.token if token == "" else token
        headers = (self.headers(chosen) if chosen else {}) | given.pop("headers", {})
        whole = bool(self.elsewhere) and path.startswith(self.elsewhere)
        address = path if whole else self.prefix + path
        return self.client.open(address, method=method, headers=headers, buffered=True, **given)

    def get(self, path: str, **given: Any) -> TestResponse:
        return self("GET", path, **given)

    def post(self, path: str, **given: Any) -> TestResponse:
        return self("POST", path, **given)

    def put(self, path: str, **given: Any) -> TestResponse:
        return self("PUT", path, **given)

    def patch(self, path: str, **given: Any) -> TestResponse:
        return self("PATCH", path, **given)

    def delete(self, path: str, **given: Any) -> TestResponse:
        return self("DELETE", path, **given)


def count_statements(call: Callable[[], Any]) -> int:
    """How many statements `call` sends to the database."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)
