"""Many rows at once: copies of one row, made by the database itself."""

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import ColumnElement, Engine, Integer, Table, Text, case, func, insert, literal, select, text
from sqlalchemy import cast as sql_cast

from app.models import write
from app.models.base import Base
from app.services.core import Core

Number = ColumnElement[int]


def copy(core: Core, model: type[Base], row_id: int, count: int, **changes: Callable[[Number], Any]) -> None:
    """`count` copies of the row `row_id`; `changes` says what is different in the copy of number 0, 1 … `count` - 1."""
    numbers = select(literal(0, Integer).label("number")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.number + 1).where(numbers.c.number < count - 1))
    number, table = numbers.c.number, _table(model)
    template = table.alias("template")
    columns = [each for each in table.columns if each.name != "id" or "id" in changes]
    values = [changes[each.name](number) if each.name in changes else template.c[each.name] for each in columns]
    rows = select(*values).select_from(template.join(numbers, literal(True))).where(template.c.id == row_id)
    with write(core.session):
        core.session.execute(insert(table).from_select([each.name for each in columns], rows, False))
        if "id" in changes and core.session.get_bind().dialect.name == "postgresql":
            highest = f"(SELECT max(id) FROM {table.name})"
            core.session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {highest})"))


def next_id(core: Core, model: type[Base]) -> int:
    """The id that the next row gets where nobody else adds one."""
    return int(core.session.scalar(select(func.max(_table(model).c.id))) or 0) + 1


def one_of(*words: Any) -> Callable[[Number], Any]:
    """One of `words` in turn."""
    return lambda number: case(dict(enumerate(words)), value=number % len(words))


def named(prefix: str, kinds: int | None = None) -> Callable[[Number], Any]:
    """`prefix` and a number, of which there are `kinds`; None: as many as rows."""
    return lambda number: literal(prefix) + sql_cast(number % kinds if kinds else number, Text)


def finish(core: Core) -> None:
    """Bring up to date what the database knows of its rows by itself where they come little by little."""
    engine = cast(Engine, core.session.get_bind())
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    else:
        with write(core.session):
            core.session.execute(text("ANALYZE"))


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table
