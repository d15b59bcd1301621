"""A server as it is deployed, on a database of its own that benchmarks may fill, and a client that keeps its
connections.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app import create_app
from app.config import Config
from app.extensions import db
from app.services.core import Core
from tests import postgresql
from tests.databases import initialise_database
from tests.factories import make_token, make_user
from tests.support.served import Served

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


def kinds() -> list[str]:
    """The databases that this host has."""
    return [SQLITE, POSTGRESQL] if postgresql.binaries() else [SQLITE]


@dataclass(frozen=True, slots=True)
class Bed:
    """`core` is this process's own, for filling; `token` an administrator's."""

    served: Served
    core: Core
    database: str
    token: str

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.served.url)
        return parts.hostname or "", parts.port or 0

    def connect(self) -> HTTPConnection:
        return HTTPConnection(*self.address, timeout=120)

    def processes(self) -> list[int]:
        """The server's processes."""
        return tree(self.served.process.pid) if self.served.process else []


@contextmanager
def bed(kind: str = SQLITE, **settings: Any) -> Iterator[Bed]:
    """A server on an empty database of that kind, with an administrator; nothing is left of it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="skerry-bench-")))
        database = f"sqlite:///{folder / 'skerry.db'}"
        if kind == POSTGRESQL:
            cluster = stack.enter_context(postgresql.run_server())
            database = cluster.url(stack.enter_context(cluster.database()))
        initialise_database(database, folder)
        app = create_app(Config(data_dir=folder, database_url=database))
        stack.enter_context(app.app_context())
        core: Core = app.extensions["skerry"]
        token = make_token(core, make_user(core, "admin", is_admin=True))[1]
        served = Served(folder, database, **{"rate_limit_user": 0, "rate_limit_address": 0} | settings).start()
        stack.callback(_leave, core)
        stack.callback(served.close)
        yield Bed(served, core, database, token)


def _leave(core: Core) -> None:
    core.session.remove()
    db.engine.dispose()
    core.bus.stop()


def post(connection: HTTPConnection, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    return answer.status, json.loads(content) if content else None


def memory(pids: list[int]) -> float:
    """MB that the processes hold in all; pages that they share count once."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total * 1024 / 1e6


def processor(pids: list[int]) -> float:
    """Seconds of processor time that the processes have spent."""
    ticks = os.sysconf("SC_CLK_TCK")
    spent = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids)
    return sum(int(fields[11]) + int(fields[12]) for fields in spent) / ticks


def tree(pid: int) -> list[int]:
    """A process and all below it, whichever of its threads started them."""
    children = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in _words(task / "children")]
    return [pid, *(found for child in children for found in tree(int(child)))]


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except (FileNotFoundError, ProcessLookupError):  # a thread that has just ended
        return []
