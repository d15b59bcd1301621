"""A busy database: each dialect says in its own form that it is worth another try, and tells nothing of it."""

import sqlite3
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from app.extensions import db
from app.services.core import Core

PRIVATE = "a line of the database's own"
WERCKER = {"statusCode": 503, "error": "Service Unavailable", "message": "Service Unavailable"}
CANDOR = "Service Unavailable"
LAYERCI = {"status": "error", "error": "Service Unavailable"}


def locked() -> Exception:
    return OperationalError("SELECT", {}, sqlite3.OperationalError(PRIVATE))


def crowded() -> Exception:
    return NoConnection(PRIVATE)


@pytest.mark.parametrize("make", [locked, crowded])
@pytest.mark.parametrize(
    ("method", "address", "form"),
    [
        ("GET", "/api/v3/applications/acme", WERCKER),
        ("GET", "/api/v3/runs?applicationId=577a4dbc010000000000000f", WERCKER),
        ("PUT", "/api/v3/runs/577a4dbc030000000000000f/abort?token=glpat-x", WERCKER),
        ("GET", "/api/v2/applications/577a4dbc010000000000000f/cc/build", WERCKER),
        ("GET", "/api/v1/run/rocket/search?layertoken=glpat-x", LAYERCI),
        ("POST", "/api/v1/run/rocket?token=glpat-x", LAYERCI),
        ("POST", "/trigger/0123456789abcdef0123456789abcdef", CANDOR),
    ],
)
def test_a_busy_database_is_worth_another_try(
    core: Core, client: FlaskClient, make: Any, method: str, address: str, form: dict[str, Any] | str
) -> None:
    def fail(*_: Any) -> None:
        raise make()

    event.listen(db.engine, "before_cursor_execute", fail)
    try:
        answer = client.open(address, method=method)
    finally:
        event.remove(db.engine, "before_cursor_execute", fail)
    given = answer.text if isinstance(form, str) else answer.json
    assert (answer.status_code, given, answer.headers["Retry-After"]) == (503, form, "5")
    assert PRIVATE not in answer.text
