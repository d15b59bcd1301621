"""Connections that rest in the pool may be dead when they are wanted: the database or the network was restarted."""

import select
from time import monotonic
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

#: Seconds for which a connection may rest until it is asked whether it still lives.
TRUSTED_FOR = 10.0
_RESTS_SINCE = "skerry_rests_since"


def check_connections(engine: Engine) -> None:
    """Hand out no connection of a server that is gone: a new one takes its place, and all others are looked at anew.

    To ask each time costs as much as a statement. Instead its socket is looked at, which costs nothing: a server that
    ends says so there, and from one that does not end there is nothing to read between transactions. Only where there
    is something, or after TRUSTED_FOR seconds, since a broken network says nothing, is the server asked.
    """
    dialect: Any = engine.dialect

    @event.listens_for(engine, "checkin")
    def _rest(_connection: Any, record: Any) -> None:
        record.info[_RESTS_SINCE] = monotonic()

    @event.listens_for(engine, "checkout")
    def _check(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get(_RESTS_SINCE)
        if since is None or (monotonic() - since < TRUSTED_FOR and _is_silent(connection)):
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as gone:
            raise InvalidatePoolError from gone


def _is_silent(connection: Any) -> bool:
    """Whether there is nothing to read from its server, not even the end. False for one that is closed."""
    if connection.closed:
        return False
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return not poller.poll(0)
