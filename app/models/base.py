"""What all tables share: names of constraints, aware times, big keys, and the one way to write.

Times are UTC and aware in Python on both databases; SQLite keeps them as text without a zone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Engine, Integer, MetaData, String, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session
from sqlalchemy.types import TypeDecorator

from app.models.unique import already_exists

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

#: Keys count to 2^63; SQLite only numbers a column by itself that is called INTEGER.
Key = BigInteger().with_variant(Integer, "sqlite")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Word = String(64)


class UtcTime(TypeDecorator[datetime]):
    """An aware time in UTC, to the microsecond."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone is refused: pass an aware one")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: UtcTime, dict[str, Any]: Json, list[Any]: Json, list[str]: Json}


AnySession = Session | scoped_session[Any]
_WRITES = "skerry_writes"
_AFTER_COMMIT = "skerry_after_commit"
_turn = Lock()


@contextmanager
def write(session: AnySession, goes_on: bool = False) -> Iterator[None]:
    """One write transaction: committed at the end, rolled back when anything is raised. AlreadyExists where a name is
    taken at the same moment (`unique`).

    It begins anew, so nothing that was read before decides a write: read what you need inside. On SQLite it opens
    with BEGIN IMMEDIATE
    behind a lock of this process, because a read that turns into a write fails, and competing writers starve each
    other. `goes_on`: the transaction that has read something becomes the one that writes, where the database lets it
    (PostgreSQL): for statements that have all their conditions in themselves.
    """
    if session.info.get(_WRITES):
        raise RuntimeError("a write inside a write: pass the work in, do not open a second transaction")
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    if on_sqlite or not goes_on:
        session.rollback()
    if on_sqlite:
        _turn.acquire()
    session.info[_WRITES] = True
    try:
        if on_sqlite:
            session.connection(execution_options={_WRITES: True})
        yield
        session.commit()
    except BaseException as error:
        session.rollback()
        session.info.pop(_AFTER_COMMIT, None)
        if isinstance(error, IntegrityError) and (taken := already_exists(error, Base.metadata)):
            raise taken from error
        raise
    finally:
        session.info.pop(_WRITES, None)
        if on_sqlite:
            _turn.release()
    for action in session.info.pop(_AFTER_COMMIT, ()):
        action()


def after_commit(session: AnySession, action: Callable[[], None]) -> None:
    """Run `action` once the current `write` is committed; never, when it is rolled back."""
    session.info.setdefault(_AFTER_COMMIT, []).append(action)


def prepare_sqlite(engine: Engine) -> None:
    """Make SQLite behave: WAL, foreign keys, waiting instead of failing, and transactions that we open ourselves."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
