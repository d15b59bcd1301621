"""Pages of lists, newest first, that go on from a key: however long the list is, no page reads what others show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, select, union_all

from app.services.core import Core

Row = TypeVar("Row")
Chosen = TypeVar("Chosen", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page is: older than the key `before`, or the next newer than the key `after`. Neither: the newest."""

    before: int | None = None
    after: int | None = None


NEWEST = Cursor()


@dataclass(frozen=True, slots=True)
class KeyPage(Generic[Row]):
    """`rows` newest first. `older` and `newer` are the keys to go on from (`before`, `after`), None where there is no
    more.
    """

    rows: list[Row]
    older: int | None
    newer: int | None


def within(query: Chosen, key: Any, cursor: Cursor) -> Chosen:
    """`query` from the cursor on, in the order in which `cut` wants its rows."""
    if cursor.before is not None:
        query = query.where(key < cursor.before)
    if cursor.after is not None:
        return query.where(key > cursor.after).order_by(key)
    return query.order_by(key.desc())


def merged(core: Core, queries: Sequence[Select[int]], key: Any, cursor: Cursor, most: int) -> list[int]:
    """At most so many keys of what any of `queries` finds, in the order of `within`. No two find the same."""
    pages = [select(within(query, key, cursor).limit(most).subquery().c[key.key]) for query in queries]
    if not pages:
        return []
    return sorted(core.session.scalars(union_all(*pages)), reverse=cursor.after is None)[:most]


def cut(found: Sequence[Row], cursor: Cursor, limit: int, key: Callable[[Row], int]) -> KeyPage[Row]:
    """The page of what a query `within` the cursor found, of which one row more than `limit` was asked for."""
    more, shown = len(found) > limit, list(found[:limit])
    forwards = cursor.after is not None
    if forwards:
        shown.reverse()
    return KeyPage(
        rows=shown,
        older=key(shown[-1]) if shown and (more or forwards) else None,
        newer=key(shown[0]) if shown and (cursor.before is not None or (forwards and more)) else None,
    )
