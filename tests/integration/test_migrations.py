"""The migrations make the tables that the models describe, on both databases."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from app.extensions import db
from app.models import Base
from app.schema import SchemaTooNew, is_described, newest_revision, upgrade
from tests.databases import BOTH


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
