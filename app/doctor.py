"""`skerry doctor`: what can be wrong with an installation of the server, found before a user finds it."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from app import crypto, schema
from app.config import Config, ConfigError, read_config

LOW_SPACE = 1024**3
GIT_NEEDED = (2, 30)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `level`: ok, warning or error; `mend` is what to do, empty when nothing is wrong."""

    name: str
    level: str
    detail: str
    mend: str = ""


def run_checks(environment: Mapping[str, str]) -> Iterator[Check]:
    """All checks, in the order in which a new installation meets them."""
    try:
        config = read_config(environment)
    except ConfigError as error:
        yield Check("settings", "error", str(error), "correct that variable")
        return
    yield Check("settings", "ok", f"data in {config.data_dir}, seen as {config.external_url}")
    yield _git()
    yield _folder(config.data_dir)
    if not config.data_dir.is_dir():
        return
    yield _space(config.data_dir)
    yield _key(config)
    yield _database(config)
    yield _address(config)


def _git() -> Check:
    found = shutil.which("git")
    if not found:
        return Check("git", "error", "not on PATH", "apt-get install git")
    output = subprocess.run([found, "version"], capture_output=True, text=True, check=False, timeout=10).stdout
    numbers = output.replace("git version", "").split()[:1]
    parts = tuple(int(part) for part in (numbers[0].split(".")[:2] if numbers else []) if part.isdigit())
    if parts < GIT_NEEDED:
        return Check("git", "error", output.strip() or "does not run", "install git 2.30 or newer")
    return Check("git", "ok", output.strip())


def _folder(folder: Path) -> Check:
    if not folder.is_dir():
        return Check("data folder", "error", f"{folder} is not there", "skerry init")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Check("data folder", "error", f"{folder} cannot be written", f"run as its owner, or chown {folder}")
    if folder.stat().st_mode & 0o077:
        return Check("data folder", "warning", f"{folder} is open to other users", f"chmod 700 {folder}")
    return Check("data folder", "ok", f"{folder}, for its owner alone")


def _space(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    level = "ok" if free > LOW_SPACE else "warning"
    mend = "" if level == "ok" else "free some space, or let artifacts expire sooner (SKERRY_ARTIFACT_EXPIRY)"
    return Check("disk", level, f"{free // 1024**2} MiB free", mend)


def _key(config: Config) -> Check:
    path = config.data_dir / "secret.key"
    try:
        crypto.load_box(config.secret_key, path)
    except (crypto.KeyMissing, OSError) as error:
        return Check("key of secrets", "error", str(error), "skerry init, or put the backup of the key back")
    if not config.secret_key and path.stat().st_mode & 0o077:
        return Check("key of secrets", "error", f"{path} is readable for others", f"chmod 600 {path}")
    return Check("key of secrets", "ok", "from SKERRY_SECRET_KEY" if config.secret_key else str(path))


def _database(config: Config) -> Check:
    kind = "SQLite" if config.is_sqlite else "PostgreSQL"
    try:
        engine = create_engine(config.database_url)
        with engine.connect() as connection:
            revision = schema.current_revision(connection)
        engine.dispose()
    except SQLAlchemyError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        return Check("database", "error", f"{kind}: {reason}", "check SKERRY_DATABASE_URL and that the server runs")
    if revision != schema.newest_revision():
        return Check("database", "error", f"{kind}: tables of {revision or 'nothing yet'}", "skerry init")
    return Check("database", "ok", f"{kind}, tables of {revision}")


def _address(config: Config) -> Check:
    outside = not config.bind.startswith(("127.", "localhost:", "unix:", "[::1]"))
    if outside and config.external_url.startswith("http:"):
        mend = "put a proxy with TLS in front, set SKERRY_EXTERNAL_URL and SKERRY_TRUSTED_PROXIES (docs/howto)"
        return Check("address", "warning", f"{config.bind} takes passwords and tokens without TLS", mend)
    return Check("address", "ok", f"listens on {config.bind}")
