"""A project that is removed leaves no row in any table behind."""

from typing import Any

import pytest
from sqlalchemy import JSON, Column, ForeignKey, Table, func, insert, select

from app.models import Base, write
from app.models.base import UtcTime
from app.services.core import Core
from app.services.projects.delete_project import delete_project
from tests.databases import BOTH
from tests.factories import make_job, make_pipeline, make_project, make_runner, make_user

PROJECTS = Base.metadata.tables["projects"]


def foreign_keys(table: Table) -> list[tuple[Column[Any], ForeignKey]]:
    return [(column, key) for column in table.columns for key in column.foreign_keys]


def tables_of_a_project() -> list[Table]:
    """Those whose rows go with a project, parents first."""
    found = [PROJECTS]
    for table in Base.metadata.sorted_tables:
        if any(key.ondelete == "CASCADE" and key.column.table in found for _, key in foreign_keys(table)):
            found.append(table)
    return found


INSIDE = tables_of_a_project()
#: The audit log's rows stay, and refer to nothing then.
OUTLIVE = frozenset({"audit_events"})


def test_every_reference_to_what_is_in_a_project_says_what_becomes_of_it() -> None:
    for table in Base.metadata.sorted_tables:
        for column, key in foreign_keys(table):
            if key.column.table in INSIDE:
                allowed = ("CASCADE", "SET NULL") if column.nullable else ("CASCADE",)
                assert key.ondelete in allowed, column


@pytest.mark.parametrize("name", ["project_id", "pipeline_id", "job_id"])
def test_whatever_names_its_project_pipeline_or_job_refers_to_it(name: str) -> None:
    for table in Base.metadata.sorted_tables:
        if name in table.columns:
            assert table.columns[name].foreign_keys, table.name
            assert table in INSIDE or table.name in OUTLIVE


def dummy(core: Core, column: Column[Any]) -> Any:
    """Some value of the column's type."""
    if isinstance(column.type, UtcTime):
        return core.now()
    if isinstance(column.type, JSON):
        return {}
    return column.type.python_type()


def fill(core: Core, table: Table) -> None:
    """A row in `table` that refers to the newest rows of the tables before it."""
    values: dict[str, Any] = {}
    for column in table.columns:
        targets = [key.column for key in column.foreign_keys]
        if targets and (targets[0].table in INSIDE or not column.nullable):
            values[column.name] = core.session.scalar(select(func.max(targets[0])))
        elif not column.nullable and column.default is None and not column.primary_key:
            values[column.name] = dummy(core, column)
    core.session.execute(insert(table).values(values))


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_nothing_of_a_project_stays(core: Core) -> None:
    def rows() -> dict[str, int]:
        return {table.name: core.session.scalar(select(func.count()).select_from(table)) or 0 for table in INSIDE}

    user = make_user(core)
    make_project(core, "acme/kept", creator=user)
    before = rows()
    project = make_project(core, "acme/removed", creator=user)
    make_runner(core, runner_type="project_type", project=project)
    make_job(core, make_pipeline(core, project))
    make_user(core, "bot")  # the newest user becomes the project's bot, and goes with it
    for table in INSIDE:
        if rows()[table.name] == before[table.name]:
            with write(core.session):
                fill(core, table)
    assert [name for name, number in rows().items() if number <= before[name]] == []
    delete_project(core, project, user)
    assert rows() == before
