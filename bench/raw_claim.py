"""The barest claim that SQL can do: one conditional update in a transaction of its own, committed as safely as ours."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

_RAW = (
    "UPDATE jobs SET status = 'running', token_hash = {mark}, started_at = {mark} WHERE id = "
    "(SELECT id FROM jobs WHERE status = 'pending' ORDER BY queued_at, id LIMIT 1{skip}) RETURNING id"
)
_AT = "2026-01-01 00:00:00.000000"

#: Claims a job with a token's hash, which has to be a new one each time, and returns the job's id; 0 where none waits.
Execute = Callable[[str], int]


def raw_claim(url: str) -> AbstractContextManager[Execute]:
    """A connection of its own to the database."""
    return _on_sqlite(url) if url.startswith("sqlite") else _on_postgresql(url)


@contextmanager
def _on_sqlite(url: str) -> Iterator[Execute]:
    path = Path(make_url(url).database or "")
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    statement = _RAW.format(mark="?", skip="")

    def execute(mark: str) -> int:
        connection.execute("BEGIN IMMEDIATE")
        found = connection.execute(statement, (mark, _AT)).fetchall()
        connection.execute("COMMIT")
        return int(found[0][0]) if found else 0

    yield execute
    connection.close()


@contextmanager
def _on_postgresql(url: str) -> Iterator[Execute]:
    address = make_url(url)
    statement = _RAW.format(mark="%s", skip=" FOR UPDATE SKIP LOCKED").encode()
    with psycopg.connect(
        host=str(address.query["host"]), user=address.username, dbname=address.database, autocommit=True
    ) as connection:
        yield lambda mark: int((connection.execute(statement, (mark, _AT)).fetchone() or (0,))[0])
