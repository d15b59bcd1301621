"""Whole claims a second: eight runners that wait for nothing else take jobs of a queue of 10,000 from 50 projects,
with tags; HTTP, matching, the transaction, the payload. And what one costs the server in processor time.

Against the barest claim that SQL can do on the same database, by as many threads at once; and against a view of Flask
behind the same gunicorn that does such a claim and answers with as much JSON (`bare_claims.py`): no server in Python
does more. Each of ours must be handed out exactly once. Noise: the clients share the processors with the server, and
so does whatever else the machine has to do; the processor time of a claim depends least on that.
"""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

from sqlalchemy import func, select

from app.models import Job, TagSet, write
from bench import bulk
from bench.bare_claims import PATH, bare_server
from bench.bed import POSTGRESQL, SQLITE, Bed, bed, kinds, post, processor, tree
from bench.place import Place
from bench.raw_claim import raw_claim
from bench.table import RATE, Row
from tests.factories import make_job, make_pipeline, make_project, make_runner, make_user

ALONE = True
"""Needs no installation."""

CLIENTS, PROJECTS, PENDING = 8, 50, 10_000
SECONDS, WARM_UP = 5.0, 1.0
TAGS = ((), ("linux",), ("linux", "small"), ("linux", "large"), ("windows",))
AIMS = {SQLITE: "300 /s", POSTGRESQL: "500 /s"}


def run(place: Place | None) -> list[Row]:
    """Three rows for each database."""
    return [row for kind in kinds() for row in _rows(kind)]


def _rows(kind: str) -> Iterator[Row]:
    with bed(kind) as made:
        tokens = fill(made)
        clients = [_client(made.connect, _asking(token, name)) for name, token in enumerate(tokens)]
        # The first claims put the statements together that all others use.
        _, _, first = _at_once(clients, [], WARM_UP)
        ours, cost, claimed = _at_once(clients, made.processes())
        _exactly_once(made, first + claimed)
        answer = made.core.data_dir / "answer.json"
        answer.write_text(json.dumps(_one_more(made, tokens[0])))
        made.served.stop()
        with bare_server(made.database, answer) as (server, connect):
            bare, bare_cost, _ = _at_once([_bare_client(connect, name) for name in range(CLIENTS)], tree(server.pid))
        limit, _, _ = _at_once([_raw_client(made.database, name) for name in range(CLIENTS)], [])
    what = f"whole claims, {CLIENTS} clients, {PENDING:,} pending of {PROJECTS} projects, {kind}"
    yield Row(what, [ours], "raw SQL claim", [limit], AIMS[kind], RATE)
    yield Row(what, [ours], "Flask and a raw claim", [bare], "–", RATE)
    yield Row(f"{what}: the server's processor time for one", [cost], "Flask and a raw claim", [bare_cost], "–")


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
Connect = Callable[[], HTTPConnection]


def _at_once(clients: list[Client], server: list[int], seconds: float = SECONDS) -> tuple[float, float, list[int]]:
    """All clients at once, for so many seconds: claims a second, seconds of processor that these processes of a server
    spent on each, and the ids of what was claimed.
    """
    begun, spent = time.monotonic(), processor(server)
    with ThreadPoolExecutor(len(clients)) as pool:
        claimed = [job for found in pool.map(lambda client: list(client(begun + seconds)), clients) for job in found]
    rate = len(claimed) / (time.monotonic() - begun)
    return rate, (processor(server) - spent) / max(len(claimed), 1), claimed


def _asking(token: str, name: int) -> dict[str, Any]:
    return {"token": token, "system_id": f"s_{name:012}", "info": {"name": "skerry-runner", "features": {}}}


def _client(connect: Connect, body: dict[str, Any]) -> Client:
    def claim(until: float) -> Iterator[int]:
        connection = connect()
        while time.monotonic() < until:
            status, job = post(connection, "/api/v4/jobs/request", body)
            if status == 201:
                yield job["id"]
            elif status != 409:
                raise RuntimeError(f"a claim was answered with {status}")

    return claim


def _one_more(made: Bed, token: str) -> dict[str, Any]:
    """What a runner is told of a job."""
    status, job = post(made.connect(), "/api/v4/jobs/request", _asking(token, 0))
    if status != 201:
        raise RuntimeError(f"a claim was answered with {status}")
    return dict(job)


def _bare_client(connect: Connect, name: int) -> Client:
    def claim(until: float) -> Iterator[int]:
        connection, number = connect(), 0
        while time.monotonic() < until:
            number += 1
            status, job = post(connection, PATH, _asking(f"bare-{name}-{number}", name))
            if status != 201:
                raise RuntimeError(f"the peer answered with {status}")
            if not job["id"]:
                return
            yield job["id"]

    return claim


def _raw_client(database: str, name: int) -> Client:
    def claim(until: float) -> Iterator[int]:
        number = 0
        with raw_claim(database) as execute:
            while time.monotonic() < until:
                number += 1
                job = execute(f"raw-{name}-{number}")
                if not job:
                    return  # it is quicker than the queue is long
                yield job

    return claim


def _exactly_once(made: Bed, claimed: list[int]) -> None:
    made.core.session.rollback()
    running = made.core.session.scalar(select(func.count()).select_from(Job).where(Job.status == "running"))
    if len(set(claimed)) != len(claimed) or running != len(claimed):
        raise RuntimeError(f"{len(claimed)} claims of {len(set(claimed))} jobs, of which {running} run")
