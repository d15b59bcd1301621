"""Whole claims a second: eight runners that wait for nothing else take jobs of a queue of 10,000 from 50 projects,
with tags; HTTP, matching, the transaction, the payload.

Against the barest claim that SQL can do on the same database, by as many threads at once: one conditional update in a
transaction of its own, committed as safely. Each of ours must be handed out exactly once. Noise: the clients share the
processors with the server; what is measured is both.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from app.models import Job, TagSet, write
from bench import bulk
from bench.bed import POSTGRESQL, SQLITE, Bed, bed, kinds, post
from bench.place import Place
from bench.table import RATE, Row
from tests.factories import make_job, make_pipeline, make_project, make_runner, make_user

ALONE = True
"""Needs no installation."""

CLIENTS, PROJECTS, PENDING = 8, 50, 10_000
SECONDS = 5.0
TAGS = ((), ("linux",), ("linux", "small"), ("linux", "large"), ("windows",))
AIMS = {SQLITE: "300 /s", POSTGRESQL: "500 /s"}
_RAW = (
    "UPDATE jobs SET status = 'running', token_hash = {mark}, started_at = {mark} WHERE id = "
    "(SELECT id FROM jobs WHERE status = 'pending' ORDER BY queued_at, id LIMIT 1{skip}) RETURNING id"
)


def run(place: Place | None) -> list[Row]:
    """One row for each database."""
    return [_row(kind) for kind in kinds()]


def _row(kind: str) -> Row:
    with bed(kind) as made:
        tokens = fill(made)
        ours, claimed = _at_once([_client(made, token, name) for name, token in enumerate(tokens)])
        _exactly_once(made, claimed)
        made.served.stop()
        limit, _ = _at_once([_raw(made, kind, name) for name in range(CLIENTS)])
    what = f"whole claims, {CLIENTS} clients, {PENDING:,} pending of {PROJECTS} projects, {kind}"
    return Row(what, [ours], "raw SQL claim", [limit], AIMS[kind], RATE)


def fill(made: Bed) -> list[str]:
    """The projects and their queue; the tokens of the runners."""
    core = made.core
    user = make_user(core)
    with write(core.session):
        core.session.add_all(TagSet(tags_key="\n".join(tags), tags=list(tags)) for tags in TAGS if tags)
    for _ in range(PROJECTS):
        job = make_job(core, make_pipeline(core, make_project(core, creator=user), user=user), tags=())
        sets = list(core.session.scalars(select(TagSet.id).order_by(TagSet.id)))
        count = PENDING // PROJECTS - 1
        bulk.copy(core, Job, job.id, count, name=bulk.named("job"), tag_set_id=bulk.one_of(*sets))
    bulk.finish(core)
    tags = sorted({tag for each in TAGS for tag in each})
    return [make_runner(core, tags=tags)[1] for _ in range(CLIENTS)]


Client = Callable[[float], Iterator[int]]


def _at_once(clients: list[Client]) -> tuple[float, list[int]]:
    """All clients at once, for so many seconds: claims a second, and the ids of what was claimed."""
    begun = time.monotonic()
    with ThreadPoolExecutor(len(clients)) as pool:
        claimed = [job for found in pool.map(lambda client: list(client(begun + SECONDS)), clients) for job in found]
    return len(claimed) / (time.monotonic() - begun), claimed


def _client(made: Bed, token: str, name: int) -> Client:
    body = {"token": token, "system_id": f"s_{name:012}", "info": {"name": "skerry-runner", "features": {}}}

    def claim(until: float) -> Iterator[int]:
        connection = made.connect()
        while time.monotonic() < until:
            status, job = post(connection, "/api/v4/jobs/request", body)
            if status == 201:
                yield job["id"]
            elif status != 409:
                raise RuntimeError(f"a claim was answered with {status}")

    return claim


def _exactly_once(made: Bed, claimed: list[int]) -> None:
    made.core.session.rollback()
    running = made.core.session.scalar(select(func.count()).select_from(Job).where(Job.status == "running"))
    if len(set(claimed)) != len(claimed) or running != len(claimed):
        raise RuntimeError(f"{len(claimed)} claims of {len(set(claimed))} jobs, of which {running} run")


def _raw(made: Bed, kind: str, name: int) -> Client:
    raw = _raw_on_sqlite if kind == SQLITE else _raw_on_postgresql

    def claim(until: float) -> Iterator[int]:
        number = 0
        with raw(made.database) as execute:
            while time.monotonic() < until:
                number += 1
                yield execute((f"raw-{name}-{number}", "2026-01-01 00:00:00.000000"))

    return claim


@contextmanager
def _raw_on_sqlite(url: str) -> Iterator[Callable[[Any], int]]:
    path = Path(make_url(url).database or "")
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    statement = _RAW.format(mark="?", skip="")

    def execute(values: Any) -> int:
        connection.execute("BEGIN IMMEDIATE")
        found = connection.execute(statement, values).fetchall()
        connection.execute("COMMIT")
        return int(found[0][0])

    yield execute
    connection.close()


@contextmanager
def _raw_on_postgresql(url: str) -> Iterator[Callable[[Any], int]]:
    address = make_url(url)
    statement = _RAW.format(mark="%s", skip=" FOR UPDATE SKIP LOCKED").encode()
    with psycopg.connect(
        host=str(address.query["host"]), user=address.username, dbname=address.database, autocommit=True
    ) as connection:
        yield lambda values: int((connection.execute(statement, values).fetchone() or (0,))[0])
