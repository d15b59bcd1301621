"""Selects that are asked so often that what stands around them counts.

To look a statement up, to make a context and a result for it, and to begin a transaction that it does not need takes
SQLAlchemy ten times as long as SQLite takes to answer. Here the statement is compiled once, and runs on the driver.
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Engine, Select
from sqlalchemy.types import TypeEngine


class _Compiled(NamedTuple):
    """`names` are those of the parameters in the driver's order, None where it takes them by name."""

    text: str
    names: Sequence[str] | None
    readers: Sequence[Callable[[Any], Any] | None]


class DirectSelect:
    """`statement` gives at most one row; its parameters are numbers or texts, one value each. For all threads."""

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        named: Callable[..., Any] = namedtuple  # the names are known only here
        self._row = named("Row", statement.selected_columns.keys())
        self._compiled: WeakKeyDictionary[Dialect, _Compiled] = WeakKeyDictionary()

    def one_or_none(self, engine: Engine, **parameters: int | str) -> Any:
        """The row, with the columns as attributes. Takes a connection of its own for the moment. Raises what a
        connection of SQLAlchemy raises.
        """
        compiled = self._compiled.get(engine.dialect) or self._compile(engine.dialect)
        given: Any = parameters if compiled.names is None else [parameters[name] for name in compiled.names]
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            try:
                cursor.execute(compiled.text, given)
                values = cursor.fetchone()
            finally:
                cursor.close()
        except engine.dialect.loaded_dbapi.Error:
            connection.invalidate()
            return self._the_long_way(engine, parameters)
        finally:
            connection.close()
        return values and self._row(
            *(read(value) if read else value for read, value in zip(compiled.readers, values, strict=True))
        )

    def _the_long_way(self, engine: Engine, parameters: dict[str, int | str]) -> Any:
        """Another try, by who knows what each error of each driver means."""
        with engine.connect() as connection:
            return connection.execute(self._statement, parameters).one_or_none()

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._statement.compile(dialect=dialect)
        names = compiled.positiontup if compiled.positional else None
        readers = [_reader(column.type, dialect) for column in self._statement.selected_columns]
        self._compiled[dialect] = found = _Compiled(str(compiled), names, readers)
        return found


def _reader(of: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a value of that type out of the driver's, None where that is one."""
    return of.dialect_impl(dialect).result_processor(dialect, None)
