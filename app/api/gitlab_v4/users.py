"""Users."""

from typing import Any

from sqlalchemy import func, select

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities import users as entities
from app.api.gitlab_v4.errors import not_found
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Param
from app.models import User

routes = Routes()
READ_USER = ("api", "read_api", "read_user")


@routes.get("/user", scopes=READ_USER)
def get_current_user(call: Call) -> dict[str, Any]:
    """Get the user whose token is used"""
    return entities.user_self(call.core, call.signed_in)


@routes.get("/users", params=(Param("username"), Param("search"), *PAGED), scopes=READ_USER)
def list_users(call: Call) -> Any:
    """List users by name"""
    query = select(User).order_by(User.id.desc())
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
