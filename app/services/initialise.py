"""`skerry init`: from nothing, or from an older version, to a server that can be started."""

import secrets
import uuid
from collections.abc import Iterator

from sqlalchemy import select

from app import crypto, schema
from app.config import Config, ConfigError
from app.extensions import db
from app.models import Counter, Setting, write


def prepare_folder(config: Config) -> Iterator[str]:
    """Make the data folder (mode 0700) and the key of secrets in it; yield a line for each thing done."""
    folder = config.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
        if not config.secret_key and crypto.create_key_file(folder / "secret.key"):
            yield f"made {folder / 'secret.key'}: keep a copy apart from the database; without it secrets are lost"
    except OSError as error:
        raise ConfigError(f"SKERRY_DATA_DIR: cannot use {folder}: {error.strerror}") from error


def prepare_database() -> Iterator[str]:
    """Bring the tables up to date and make the rows that every installation has; yield a line for each thing done."""
    before, after = schema.upgrade(db.engine)
    if before != after:
        yield f"database: {before or 'empty'} → {after}"
    with write(db.session):
        known = set(db.session.scalars(select(Setting.name)))
        if "instance_id" not in known:
            db.session.add(Setting(name="instance_id", value=str(uuid.uuid4())))
        if "registration_token_hash" not in known:
            # Nobody knows this token until an administrator asks for a new one: registration is closed by default.
            db.session.add(Setting(name="registration_token_hash", value=crypto.token_hash(secrets.token_hex(32))))
        if db.session.get(Counter, "queue") is None:
            db.session.add(Counter(name="queue", value=1))
    yield "ready: `skerry serve` starts the server"
