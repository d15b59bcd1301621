"""A database that is full, locked, away, or out of connections: every edge says so, and tells nothing of it."""

import sqlite3

import pytest
from sqlalchemy import event
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from app.services.runners.create_runner import create_runner
from tests.factories import make_token

PRIVATE = "a line of the database's own"


def full() -> Exception:
    return OperationalError("INSERT", {}, sqlite3.OperationalError(PRIVATE))


def away() -> Exception:
    return InterfaceError("SELECT", {}, sqlite3.InterfaceError(PRIVATE))


def crowded() -> Exception:
    return NoConnection(PRIVATE)


@pytest.mark.parametrize("make", [full, away, crowded])
def test_every_edge_says_try_again_and_shows_nothing_of_it(site, core, client, user_of, make):
    from app.extensions import db

    _, token = make_token(core, user_of("admin"))
    _, runner = create_runner(core)
    visitor = site.visitor("admin")
    core.session.remove()

    def fail(*_):
        raise make()

    event.listen(db.engine, "before_cursor_execute", fail)
    try:
        answers = [
            visitor.get("/"),
            visitor.get("/skerry/hello/-/jobs/1/events"),
            client.get("/-/sign_in"),
            client.get("/api/v4/projects", headers={"PRIVATE-TOKEN": token}),
            client.post("/api/v4/jobs/request", json={"token": runner}),
            client.put("/api/v4/jobs/1", json={"token": "glcbt-x", "state": "running"}),
            client.get("/skerry/hello.git/info/refs?service=git-upload-pack"),
            client.get("/-/ready"),
        ]
    finally:
        event.remove(db.engine, "before_cursor_execute", fail)
    assert [answer.status_code for answer in answers] == [503, 503, 200, 503, 503, 503, 503, 503]
    assert [answer.headers.get("Retry-After") for answer in answers] == ["5", "5", None, "5", "5", "5", "5", None]
    assert not any(PRIVATE in answer.text for answer in answers)
