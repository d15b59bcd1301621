"""The database's tables and their migrations, by Alembic. Only migrating loads it: serving has no need of it."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from app.domain.errors import SkerryError

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

_MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_REVISION = re.compile(r"^revision = ['\"](\w+)['\"]$", re.MULTILINE)
_PARENT = re.compile(r"^down_revision = ['\"](\w+)['\"]$", re.MULTILINE)


class SchemaTooNew(Exception):
    """The database was used by a newer Skerry: going back would lose data, so nothing is touched."""


@cache
def newest_revision() -> str:
    """The revision that this version of Skerry needs: the one that no other builds on."""
    scripts = [path.read_text(encoding="utf-8") for path in (_MIGRATIONS / "versions").glob("*.py")]
    parents = {match[1] for script in scripts if (match := _PARENT.search(script))}
    heads = [revision for revision in _revisions(scripts) if revision not in parents]
    if len(heads) != 1:
        raise RuntimeError(f"the migrations must have one end, not {len(heads)}: {', '.join(sorted(heads))}")
    return heads[0]


def current_revision(connection: Connection) -> str | None:
    """The revision of the database, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def require_newest(connection: Connection) -> None:
    """Raises SkerryError for a database that `skerry init` has not brought to `newest_revision`."""
    if current_revision(connection) != newest_revision():
        raise SkerryError("the database is not ready for this version: run `skerry init` (it keeps all data)")


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Bring the database to `newest_revision`; return (before, after). Raises SchemaTooNew."""
    from alembic import command

    with engine.connect() as connection:
        before = current_revision(connection)
    known = _revisions(path.read_text(encoding="utf-8") for path in (_MIGRATIONS / "versions").glob("*.py"))
    if before is not None and before not in known:
        raise SchemaTooNew(f"the database is at revision {before}, which this version of Skerry does not know")
    command.upgrade(alembic_config(engine), "head")
    return before, newest_revision()


def alembic_config(engine: Engine) -> "AlembicConfig":
    """Alembic's configuration for our migrations on `engine`."""
    from alembic.config import Config as AlembicConfig

    settings = AlembicConfig()
    settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    settings.attributes["engine"] = engine
    return settings


def is_described(name: str | None, kind: str, _parents: object = None) -> bool:
    """Whether the models describe this table or index, as Alembic's `include_name` asks.

    What finds a piece of text differs from database to database, and may be missing: its names begin with `search_`.
    """
    return not (kind in ("table", "index") and (name or "").startswith("search_"))


def _revisions(scripts: Iterable[str]) -> set[str]:
    return {match[1] for script in scripts if (match := _REVISION.search(script))}
