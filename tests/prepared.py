"""Rows and repositories that many tests begin with: made once a run, then copied."""

import filecmp
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import inspect
from sqlalchemy.orm import object_session

from app.models.base import Base
from app.services.core import Core

Result = TypeVar("Result")


class _Kept(NamedTuple):
    folder: Path
    result: Any


class _Row(NamedTuple):
    kind: type[Base]
    key: Any


class _TheCore:
    """Stands for the Core of whoever asks."""


class Prepared:
    """`prepared(core, build)` is `build(core)`; on SQLite from the second time on it is read from a copy.

    `build` makes rows and repositories and returns them in a dataclass or dict. It must not depend on settings.
    `empty` is the database that every test begins with, `folder` takes the copies.
    """

    def __init__(self, empty: Path, folder: Path) -> None:
        self._empty, self._folder = empty, folder
        self._known: dict[Callable[[Core], Any], _Kept] = {}

    def __call__(self, core: Core, build: Callable[[Core], Result]) -> Result:
        database = core.config.data_dir / "skerry.db"
        if not core.config.is_sqlite or not self._untouched(database):
            return build(core)
        if build not in self._known:
            result = build(core)
            self._known[build] = self._keep(core, database, result)
            return result
        kept = self._known[build]
        shutil.copyfile(kept.folder / "skerry.db", database)
        if (kept.folder / "repositories").exists():
            shutil.copytree(kept.folder / "repositories", core.repositories.folder)
        restored: Result = _from_ids(kept.result, core)
        core.session.commit()  # as after `build`: what others write from here on is seen
        return restored

    def _untouched(self, database: Path) -> bool:
        """Nobody has opened it yet: then another file can take its place."""
        log = database.with_name("skerry.db-wal")
        return not log.exists() and filecmp.cmp(database, self._empty, shallow=False)

    def _keep(self, core: Core, database: Path, result: Any) -> _Kept:
        folder = self._folder / str(len(self._known))
        folder.mkdir()
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(folder / "skerry.db")) as copy:
            source.backup(copy)
        if core.repositories.folder.exists():
            shutil.copytree(core.repositories.folder, folder / "repositories")
        return _Kept(folder, _to_ids(result, core))


def _to_ids(value: Any, core: Core) -> Any:
    """`value` with a stand-in for each row in it."""
    if value is core:
        return _TheCore
    if isinstance(value, Base):
        assert object_session(value) is not None, f"{value} is no row of the test's session"
        _, key, _ = inspect(value).identity_key
        return _Row(type(value), key)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value), {each.name: _to_ids(getattr(value, each.name), core) for each in fields(value)}
    if isinstance(value, dict):
        return {name: _to_ids(each, core) for name, each in value.items()}
    return value


def _from_ids(value: Any, core: Core) -> Any:
    match value:
        case _Row(kind, key):
            return core.session.get_one(kind, key)
        case (type() as kind, dict() as parts):
            return kind(**{name: _from_ids(part, core) for name, part in parts.items()})
        case dict():
            return {name: _from_ids(each, core) for name, each in value.items()}
    return core if value is _TheCore else value
