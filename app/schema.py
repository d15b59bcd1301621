"""The database's tables and their migrations, by Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

_MIGRATIONS = Path(__file__).resolve().parent / "migrations"


class SchemaTooNew(Exception):
    """The database was used by a newer Skerry: going back would lose data, so nothing is touched."""


def newest_revision() -> str:
    """The revision that this version of Skerry needs."""
    head = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    if head is None:
        raise RuntimeError("the package holds no migrations")
    return head


def current_revision(connection: Connection) -> str | None:
    """The revision of the database, None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Bring the database to `newest_revision`; return (before, after). Raises SchemaTooNew."""
    with engine.connect() as connection:
        before = current_revision(connection)
    known = {script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}
    if before is not None and before not in known:
        raise SchemaTooNew(f"the database is at revision {before}, which this version of Skerry does not know")
    command.upgrade(alembic_config(engine), "head")
    return before, newest_revision()


def alembic_config(engine: Engine) -> AlembicConfig:
    """Alembic's configuration for our migrations on `engine`."""
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    settings.attributes["engine"] = engine
    return settings


def is_described(name: str | None, kind: str, _parents: object = None) -> bool:
    """Whether the models describe this table or index, as Alembic's `include_name` asks.

    What finds a piece of text differs from database to database, and may be missing: its names begin with `search_`.
    """
    return not (kind in ("table", "index") and (name or "").startswith("search_"))
