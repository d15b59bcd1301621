"""Connections of the pool whose server is gone are replaced before anybody notices, and nobody asks without need."""

import pytest
from sqlalchemy import text

from app.extensions import db
from app.models import connections
from app.services.core import Core
from tests.databases import POSTGRESQL

pytestmark = pytest.mark.parametrize("database", POSTGRESQL, indirect=True)
_PID = text("SELECT pg_backend_pid()")


def pid(core: Core) -> int:
    found = core.session.scalar(_PID)
    core.session.remove()
    return int(found)


def test_connections_that_were_cut_are_replaced_before_they_are_used(core: Core) -> None:
    engine = db.engine
    resting = [engine.connect() for _ in range(3)]
    before = {connection.scalar(_PID) for connection in resting}
    for connection in resting:
        connection.close()
    with engine.connect() as last:
        mine = last.scalar(_PID)
        others = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid = ANY(:pids)"
        last.execute(text(others), {"pids": list(before - {mine})})
    after = [engine.connect() for _ in range(3)]
    assert {connection.scalar(_PID) for connection in after} & before <= {mine}
    for connection in after:
        connection.close()


def test_a_connection_is_asked_whether_it_lives_only_after_a_long_rest(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ping = [], db.engine.dialect.do_ping
    monkeypatch.setattr(db.engine.dialect, "do_ping", lambda connection: asked.append(1) or ping(connection))
    assert pid(core) == pid(core)
    assert asked == []
    monkeypatch.setattr(connections, "TRUSTED_FOR", 0.0)
    assert pid(core) == pid(core)
    assert len(asked) == 2
