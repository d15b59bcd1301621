"""The migrations make the tables that the models describe, on both databases."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from app.extensions import db
from app.models import Base
from app.schema import SchemaTooNew, alembic_config, newest_revision, upgrade
from tests.databases import BOTH

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_migrated_tables_are_those_of_the_models(app):
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
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
