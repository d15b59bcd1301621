"""A select on the driver itself gives what SQLAlchemy gives."""

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Engine, bindparam, func, select
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import QueuePool

from app.models import Job, Pipeline, RunnerManager, write
from app.models.direct_select import DirectSelect
from app.services.core import Core
from tests.databases import BOTH
from tests.factories import make_job, make_pipeline, make_project

SEEN = (
    select(Job.id, Job.name, Job.status, Job.started_at, Job.heard_at, Job.allow_failure, Pipeline.ref)
    .add_columns(RunnerManager.features)
    .join(Pipeline, Pipeline.id == Job.pipeline_id)
    .outerjoin(RunnerManager, RunnerManager.id == Job.runner_manager_id)
    .where(Job.id == bindparam("job_id"), Job.name == bindparam("name"))
)


@pytest.fixture
def engine(core: Core) -> Engine:
    found = core.session.get_bind()
    assert isinstance(found, Engine)
    return found


def in_use(engine: Engine) -> int:
    """How many of its connections somebody holds."""
    assert isinstance(engine.pool, QueuePool)
    return engine.pool.checkedout()


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_a_row_is_what_it_is_by_the_long_way(core: Core, engine: Engine) -> None:
    job = make_job(core, make_pipeline(core, make_project(core)), name="schön ' % : ?")
    with write(core.session):
        core.session.get_one(Job, job.id).started_at = datetime(2026, 1, 2, 3, 4, 5, 678, UTC)
    given: dict[str, Any] = {"job_id": job.id, "name": job.name}
    core.session.close()
    direct = DirectSelect(SEEN)
    with engine.connect() as connection:
        expected = connection.execute(SEEN, given).one()
    for _ in range(2):
        found = direct.one_or_none(engine, **given)
        assert tuple(found) == tuple(expected)
        assert found._fields == tuple(expected._fields)
    assert found.started_at.tzinfo is UTC
    assert direct.one_or_none(engine, job_id=job.id, name="another") is None
    assert in_use(engine) == 0


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_an_error_is_one_of_sqlalchemys_and_no_connection_is_lost(engine: Engine) -> None:
    wrong = DirectSelect(select(func.no_such_function(bindparam("value", 1))))
    for _ in range(2):
        with pytest.raises((OperationalError, ProgrammingError)):
            wrong.one_or_none(engine, value=1)
    assert in_use(engine) == 0


def test_a_connection_that_broke_is_replaced(core: Core, engine: Engine) -> None:
    job = make_job(core, make_pipeline(core, make_project(core)))
    given: dict[str, Any] = {"job_id": job.id, "name": job.name}
    core.session.close()
    direct, broken = DirectSelect(SEEN), engine.raw_connection()
    assert broken.dbapi_connection is not None
    broken.dbapi_connection.close()
    with patch.object(engine, "raw_connection", side_effect=[broken, engine.raw_connection()]):
        assert direct.one_or_none(engine, **given).id == given["job_id"]
    assert in_use(engine) == 0
