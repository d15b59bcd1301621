"""`write` is the one way to write: whole or not at all, and announced only when it stands."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker

from app.domain.errors import AlreadyExists
from app.models import Base, Counter, Group, after_commit, prepare_sqlite, write


@pytest.fixture
def sessions(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'test.db'}")
    prepare_sqlite(engine)
    Base.metadata.create_all(engine)
    yield sessionmaker(engine)
    engine.dispose()


@pytest.fixture
def session(sessions):
    with sessions() as session:
        yield session


def test_what_is_raised_inside_undoes_everything_and_announces_nothing(session):
    told = []
    with pytest.raises(ValueError, match="no"), write(session):
        session.add(Counter(name="a", value=1))
        after_commit(session, lambda: told.append("a"))
        session.flush()
        raise ValueError("no")
    assert session.get(Counter, "a") is None
    with write(session):
        session.add(Counter(name="b", value=1))
    assert told == []


def test_the_announcement_comes_after_the_commit(session, sessions):
    seen = []

    def look():
        with sessions() as other:
            seen.append(other.get(Counter, "a").value)

    with write(session):
        session.add(Counter(name="a", value=7))
        after_commit(session, look)
    assert seen == [7]


def test_a_write_inside_a_write_is_refused(session):
    with write(session), pytest.raises(RuntimeError, match="inside a write"), write(session):
        pass


def test_writers_in_many_threads_lose_no_update(sessions):
    with sessions() as session, write(session):
        session.add(Counter(name="n", value=0))

    def count():
        with sessions() as mine:
            for _ in range(50):
                with write(mine):
                    mine.get_one(Counter, "n").value += 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sessions() as session:
        assert session.get_one(Counter, "n").value == 200


def test_times_come_back_aware_and_in_utc(session):
    local = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    with write(session):
        session.add(Group(path="g", full_path="g", name="g", created_at=local))
    found = session.scalars(select(Group.created_at)).one()
    assert found == local
    assert found.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(session):
    with pytest.raises(Exception, match="without a zone"), write(session):
        session.add(Group(path="g", full_path="g", name="g", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001
        session.flush()


def test_names_differ_whatever_their_case(session):
    now = datetime.now(UTC)
    with pytest.raises(AlreadyExists), write(session):
        session.add_all([Group(path=p, full_path=p, name=p, created_at=now) for p in ("Team", "team")])
        session.flush()
