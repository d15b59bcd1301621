"""On which databases a test runs, and how they get their tables."""

import pytest
from sqlalchemy import create_engine

from app import schema
from app.models import prepare_sqlite

#: For `@pytest.mark.parametrize("database", BOTH, indirect=True)`.
BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
POSTGRESQL = [pytest.param("postgresql", marks=pytest.mark.postgresql)]


def create_tables(url: str) -> None:
    """Make the tables as `skerry init` does, by the migrations."""
    engine = create_engine(url)
    if url.startswith("sqlite"):
        prepare_sqlite(engine)
    schema.upgrade(engine)
    engine.dispose()
