"""The migrations make the tables that the models describe, on both databases."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, create_engine, insert, inspect

from app.extensions import db
from app.models import Base, prepare_sqlite
from app.schema import SchemaTooNew, alembic_config, is_described, newest_revision, upgrade
from tests.databases import BOTH

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_migrated_tables_are_those_of_the_models(app):
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_described})
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.postgresql
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_indexes_over_expressions_are_there_too(app):
    """Alembic does not compare these, so that they are counted here."""
    wanted = {index.name for table in Base.metadata.tables.values() for index in table.indexes}
    with app.app_context():
        inspector = inspect(db.engine)
        found = {index["name"] for table in inspector.get_table_names() for index in inspector.get_indexes(table)}
    assert wanted <= found


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_init_on_an_up_to_date_database_changes_nothing(app):
    with app.app_context():
        assert upgrade(db.engine) == (newest_revision(), newest_revision())


def test_a_database_of_a_newer_version_is_left_alone(app):
    with app.app_context():
        with db.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(SchemaTooNew, match="9999"):
            upgrade(db.engine)


@pytest.fixture
def engine(request, tmp_path):
    """An engine on a database without any tables."""
    if request.param == "sqlite":
        made = create_engine(f"sqlite:///{tmp_path / 'old.db'}")
        prepare_sqlite(made)
        yield made
    else:
        server = request.getfixturevalue("postgresql_server")
        with server.database() as name:
            made = create_engine(server.url(name))
            yield made
            made.dispose()
    made.dispose()


#: What a row of each kind of column holds when it does not matter.
BLANK = {"id": 1, "iid": 1, "commit": {}, "plan": {}, "stages": [], "tags": [], "required_features": []}


def old_row(connection, name, **values):
    """Insert a row of which only `values` matter."""
    table = Table(name, MetaData(), autoload_with=connection)
    for column in table.columns:
        if not column.nullable and column.name not in values:
            values[column.name] = BLANK[column.name] if column.name in BLANK else _blank(column.type.python_type)
    connection.execute(insert(table).values(values))


def _blank(kind):
    return datetime(2026, 1, 1, tzinfo=UTC) if kind is datetime else kind()


OLD_RUNS = [
    ("success", None, [], "succeeded"),
    ("failed", "config_error", [], "bad_configuration"),
    ("failed", None, [], "job_error"),
    ("failed", None, [("failed", "script_failure")], "failure"),
    ("running", None, [("failed", "script_failure"), ("running", None)], "failure"),
    ("failed", None, [("failed", "runner_system_failure"), ("success", None)], "runner_error"),
    ("canceled", None, [("canceled", None)], "canceled"),
    ("running", None, [("running", None)], "running"),
    ("pending", None, [("pending", None)], "new"),
]


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.parametrize("engine", BOTH, indirect=True)
def test_runs_of_before_the_search_are_found_by_it(engine):
    """0005: what they are called and how they stand is filled in."""
    command.upgrade(alembic_config(engine), "0001")
    with engine.begin() as connection:
        old_row(connection, "groups", full_path="acme", visibility="private")
        old_row(connection, "projects", group_id=1, full_path="acme/x", visibility="private", repository="hosted")
        old_row(connection, "tag_sets")
        for number, (status, reason, jobs, _) in enumerate(OLD_RUNS, 1):
            commit = {"author_name": "Ada", "author_email": "a@b", "message": f"Straße {number}"}
            run = {"id": number, "iid": number, "status": status, "failure_reason": reason, "commit": commit}
            old_row(connection, "pipelines", project_id=1, **run)
            for place, (job_status, job_reason) in enumerate(jobs):
                job = {"id": number * 10 + place, "status": job_status, "failure_reason": job_reason}
                old_row(connection, "jobs", project_id=1, pipeline_id=number, tag_set_id=1, **job)
    upgrade(engine)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT calculated_status, search_text FROM pipelines ORDER BY id").all()
        assert [row.calculated_status for row in found] == [expected for *_, expected in OLD_RUNS]
        assert [row.search_text for row in found] == [f"ada\na@b\nstrasse {n}" for n in range(1, len(OLD_RUNS) + 1)]
        if engine.dialect.name == "sqlite":
            indexed = "SELECT rowid FROM search_pipelines WHERE search_pipelines MATCH '\"strasse 4\"'"
            assert connection.exec_driver_sql(indexed).scalars().all() == [4]


@pytest.mark.postgresql
def test_a_database_that_must_not_have_the_extension_works_without_it(postgresql_server):
    """0005: whoever may make tables, but no extensions, gets all but the index of trigrams."""
    postgresql_server.execute("CREATE ROLE plain LOGIN")
    with postgresql_server.database() as name:
        owner = create_engine(postgresql_server.url(name))
        with owner.begin() as connection:
            connection.exec_driver_sql("GRANT ALL ON SCHEMA public TO plain")
        plain = create_engine(replace(postgresql_server, user="plain").url(name))
        assert upgrade(plain) == (None, newest_revision())
        with owner.connect() as connection:
            assert "search_pipelines_text" not in {row["name"] for row in inspect(owner).get_indexes("pipelines")}
            found = connection.exec_driver_sql("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")
            assert found.scalar() == 0
        plain.dispose()
        owner.dispose()


def test_the_newest_revision_is_alembics_head(app):
    with app.app_context():
        script = ScriptDirectory.from_config(alembic_config(db.engine))
    assert newest_revision() == script.get_current_head()


def test_serving_on_sqlite_loads_neither_alembic_nor_a_driver_of_postgresql(core):
    code = (
        "import sys; from app import create_app; app = create_app(); client = app.test_client()\n"
        "assert client.get('/-/ready').status_code == 200\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'alembic', 'psycopg', 'gunicorn'}))"
    )
    settings = {"SKERRY_DATA_DIR": str(core.data_dir), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=settings, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr


def test_being_ready_reads_no_migration_again(app, client, monkeypatch):
    assert client.get("/-/ready").status_code == 200
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: pytest.fail("a file is read"))
    assert client.get("/-/ready").status_code == 200
