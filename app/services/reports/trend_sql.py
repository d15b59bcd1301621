"""The few expressions that SQLite and PostgreSQL write differently, and percentiles, for statements about trends."""

from typing import Any

from sqlalchemy import ColumnElement, Double, String, case, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class seconds_between(FunctionElement[float]):  # noqa: N801 - named as the functions of SQL are
    """Seconds from the first time to the second, as a fraction."""

    type = Double()
    inherit_cache = True


@compiles(seconds_between, "sqlite")
def _seconds_on_sqlite(element: Any, compiler: Any, **given: Any) -> str:
    start, end = (compiler.process(clause, **given) for clause in element.clauses)
    return f"((julianday({end}) - julianday({start})) * 86400.0)"


@compiles(seconds_between, "postgresql")
def _seconds_on_postgresql(element: Any, compiler: Any, **given: Any) -> str:
    start, end = (compiler.process(clause, **given) for clause in element.clauses)
    return f"cast(extract(epoch from ({end} - {start})) as double precision)"


class utc_day(FunctionElement[str]):  # noqa: N801
    """The day of a time in UTC: 2026-01-31."""

    type = String()
    inherit_cache = True


@compiles(utc_day, "sqlite")
def _day_on_sqlite(element: Any, compiler: Any, **given: Any) -> str:
    return f"date({compiler.process(element.clauses, **given)})"


@compiles(utc_day, "postgresql")
def _day_on_postgresql(element: Any, compiler: Any, **given: Any) -> str:
    return f"to_char({compiler.process(element.clauses, **given)} at time zone 'UTC', 'YYYY-MM-DD')"


def position(value: ColumnElement[Any], group: ColumnElement[Any]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """The place of `value` among those of its group, from 1 up, and how many of them there are; rows without a value
    come last on both databases and are not counted.
    """
    order = (case((value.is_(None), 1), else_=0), value)
    return func.row_number().over(partition_by=group, order_by=order), func.count(value).over(partition_by=group)


def percentile(
    value: ColumnElement[float], place: ColumnElement[int], count: ColumnElement[int], percent: int
) -> ColumnElement[float]:
    """The nearest-rank percentile of a group: the least value that `percent` of a hundred do not exceed."""
    return func.max(case((place <= (count * percent + 99) // 100, value)))
