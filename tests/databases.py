"""On which databases a test runs, and how they get their tables."""

from pathlib import Path

import pytest

from app import create_app, crypto
from app.config import Config
from app.extensions import db
from app.services import initialise

#: For `@pytest.mark.parametrize("database", BOTH, indirect=True)`.
BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
POSTGRESQL = [pytest.param("postgresql", marks=pytest.mark.postgresql)]


def initialise_database(url: str, folder: Path) -> None:
    """Make the tables and first rows as `skerry init` does; `folder` is an empty one that nobody else uses."""
    crypto.create_key_file(folder / "secret.key")
    app = create_app(Config(data_dir=folder, database_url=url))
    with app.app_context():
        list(initialise.prepare_database())
        db.session.remove()
        db.engine.dispose()
