"""Pages of a list, by number or by key (gitlab.md B.0). What the caller learns beyond the rows stands in headers."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, jsonify, request
from sqlalchemy import Select, func, select

from app.api.gitlab_v4.endpoint import Call
from app.api.gitlab_v4.errors import ApiError, BadParams
from app.api.gitlab_v4.params import Kind, Param

MAX_PER_PAGE = 100
#: From this many rows on nobody counts them: totals and the last page are left out.
MAX_COUNTED = 10_000
MAX_OFFSET = 2**53
#: What is looked up row by row is not looked for further back than this.
MAX_FETCHED = 10_000_000

PAGED = (
    Param("page", Kind.INTEGER, default=1, help="Which page, from 1"),
    Param("per_page", Kind.INTEGER, default=20, help="Rows of a page, at most 100"),
)
KEYSET = (
    Param("pagination", values=("keyset", "legacy"), help="keyset: pages by key; fast however long the list"),
    Param("cursor", help="Where a page by key begins, out of the Link header of the one before"),
)

Render = Callable[[Sequence[Any]], list[dict[str, Any]]]


def by_number(call: Call, query: Select[Any], render: Render, counted: bool = True) -> Response:
    """The page that `call` asks for. `counted` False: totals are never shown, and so never counted."""
    page, size = max(call.params["page"], 1), _size(call)
    if page * size > MAX_OFFSET:
        raise BadParams("page is invalid")
    rows = call.core.session.scalars(query.limit(size + 1).offset((page - 1) * size)).unique().all()
    total = _count(call, query) if counted else None
    return _answer(call, render(rows[:size]), page, size, total, len(rows) > size)


def of_list(call: Call, rows: Sequence[Any], render: Render) -> Response:
    """The page that `call` asks for of `rows`, all of which are there already."""
    page, size = max(call.params["page"], 1), _size(call)
    start = (page - 1) * size
    return _answer(call, render(rows[start : start + size]), page, size, len(rows), len(rows) > start + size)


def fetched(call: Call, fetch: Callable[[int, int], Sequence[Any]], render: Render) -> Response:
    """The page that `call` asks for; `fetch(skip, count)` gets rows from where they lie. Nobody counts them."""
    page, size = max(call.params["page"], 1), _size(call)
    if page * size > MAX_FETCHED:
        raise BadParams("page is invalid")
    rows = fetch((page - 1) * size, size + 1)
    return _answer(call, render(rows[:size]), page, size, None, len(rows) > size)


def _answer(call: Call, shown: list[dict[str, Any]], page: int, size: int, total: int | None, more: bool) -> Response:
    response = jsonify(shown)
    response.headers.update(_headers(page, size, total, more))
    response.headers["Link"] = ", ".join(_links(call, page, size, total, more))
    return response


def by_token(call: Call, rows: Sequence[Any], render: Render, token_of: Callable[[Any], str]) -> Response:
    """The page behind `page_token` of `call`, the token of the row before it."""
    size, token = _size(call), call.params.get("page_token")
    start = next((place + 1 for place, row in enumerate(rows) if token_of(row) == token), 0) if token else 0
    response = jsonify(render(rows[start : start + size]))
    if len(rows) > start + size:
        changes = {"page_token": token_of(rows[start + size - 1]), "per_page": size}
        response.headers["Link"] = _link(call, changes, "next")
    return response


def by_key(call: Call, query: Select[Any], render: Render, column: Any, descending: bool = True) -> Response:
    """The page behind the cursor of `call`, in the order of `column`, a unique integer."""
    size, start = _size(call), _read_cursor(call.params.get("cursor"))
    query = query.order_by(None).order_by(column.desc() if descending else column.asc())
    if start is not None:
        query = query.where(column < start if descending else column > start)
    rows = call.core.session.scalars(query.limit(size + 1)).unique().all()
    response = jsonify(render(rows[:size]))
    if len(rows) > size:
        cursor = _write_cursor(getattr(rows[size - 1], column.key))
        response.headers["Link"] = _link(call, {"cursor": cursor, "per_page": size}, "next")
        response.headers["X-NEXT-CURSOR"] = cursor
    return response


def wants_keyset(call: Call, order_by: str = "id", allowed: tuple[str, ...] = ("id",)) -> bool:
    """Whether `call` asks for pages by key. Raises ApiError where the order it asks for cannot be had so."""
    if call.params.get("pagination") != "keyset":
        return False
    if order_by not in allowed:
        raise ApiError(405, {"error": "Keyset pagination is not yet available for this type of request"})
    return True


def _size(call: Call) -> int:
    size: int = call.params["per_page"]
    if size == 0:
        raise BadParams("per_page has a value not allowed")
    return min(size, MAX_PER_PAGE) if size > 0 else 20


def _count(call: Call, query: Select[Any]) -> int | None:
    """How many rows there are, None for too many to say."""
    entity = query.column_descriptions[0]["entity"]
    rows = query.with_only_columns(entity.id, maintain_column_froms=True).order_by(None).limit(MAX_COUNTED + 1)
    total = call.core.session.scalar(select(func.count()).select_from(rows.subquery())) or 0
    return total if total <= MAX_COUNTED else None


def _headers(page: int, size: int, total: int | None, more: bool) -> dict[str, str]:
    headers = {
        "X-Page": str(page),
        "X-Per-Page": str(size),
        "X-Next-Page": str(page + 1) if more else "",
        "X-Prev-Page": str(page - 1) if page > 1 else "",
    }
    if total is not None:
        headers |= {"X-Total": str(total), "X-Total-Pages": str(_pages(total, size))}
    return headers


def _pages(total: int, size: int) -> int:
    return max(1, -(-total // size))


def _links(call: Call, page: int, size: int, total: int | None, more: bool) -> list[str]:
    pages = {"prev": page - 1 if page > 1 else None, "next": page + 1 if more else None, "first": 1}
    if total is not None:
        pages["last"] = _pages(total, size)
    return [_link(call, {"page": number, "per_page": size}, rel) for rel, number in pages.items() if number]


def _link(call: Call, changes: dict[str, Any], rel: str) -> str:
    """The same request with other parameters, at the address that the outside knows. Tokens are not repeated."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in changes | _SECRET]
    path = quote(request.path, safe="!$&'()*+,/:;=@%")  # what is still encoded in it stays so: `group%2Fproject`
    in_path = [(name, call.params[name]) for name in request.view_args or {}]
    return f'<{call.core.config.external_url}{path}?{urlencode([*in_path, *kept, *changes.items()])}>; rel="{rel}"'


_SECRET = dict.fromkeys(("private_token", "access_token", "job_token"))


def _write_cursor(key: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"id": str(key)}).encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> int | None:
    if not cursor:
        return None
    try:
        fields = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        key = int(fields["id"])
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadParams("cursor is invalid") from error
    if abs(key) >= 2**63:
        raise BadParams("cursor is invalid")
    return key
