"""Users."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, func, select

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities import users as entities
from app.api.gitlab_v4.errors import not_found
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Kind, Param
from app.models import User

routes = Routes()
READ_USER = ("api", "read_api", "read_user")
#: What each of these leaves, where it is true.
_KINDS: Mapping[str, ColumnElement[bool]] = {
    "active": User.blocked.is_(False),
    "blocked": User.blocked.is_(True),
    "humans": User.bot.is_(False),
    "without_project_bots": User.bot.is_(False),
    "admins": User.is_admin.is_(True),
}
_ORDERS: Mapping[str, SQLColumnExpression[Any]] = {
    "id": User.id,
    "name": func.lower(User.name),
    "username": func.lower(User.username),
    "created_at": User.created_at,
}
FILTERS = (
    Param("username"),
    Param("search", help="Part of the name"),
    *(Param(name, Kind.BOOLEAN, default=False) for name in _KINDS),
    Param("order_by", values=tuple(_ORDERS), default="id"),
    Param("sort", values=("asc", "desc"), default="desc"),
)


@routes.get("/user", scopes=READ_USER)
def get_current_user(call: Call) -> dict[str, Any]:
    """Get the user whose token is used"""
    return entities.user_self(call.core, call.signed_in)


@routes.get("/users", params=(*FILTERS, *PAGED), scopes=READ_USER)
def list_users(call: Call) -> Any:
    """List users by name"""
    column = _ORDERS[call.params["order_by"]]
    ordered = column.asc() if call.params["sort"] == "asc" else column.desc()
    query = select(User).order_by(ordered, User.id.desc())
    for name, wanted in _KINDS.items():
        query = query.where(wanted) if call.params[name] else query
    if username := call.params.get("username"):
        query = query.where(func.lower(User.username) == username.lower())
    if text := call.params.get("search"):
        found = func.lower(User.username).contains(text.lower(), autoescape=True)
        query = query.where(found | func.lower(User.name).contains(text.lower(), autoescape=True))
    return by_number(call, query, lambda rows: [entities.user_basic(call.core, row) for row in rows])


@routes.get("/users/<user_id>", scopes=READ_USER)
def get_user(call: Call) -> dict[str, Any]:
    """Get a user"""
    user = call.core.session.get(User, call.params["user_id"])
    if user is None:
        raise not_found("User")
    return entities.user_public(call.core, user)
