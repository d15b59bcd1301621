"""Accounts, as administrators make, change, block and remove them."""

from typing import Any

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities import users as entities
from app.api.gitlab_v4.errors import BadParams, forbidden
from app.api.gitlab_v4.params import Kind, Param
from app.models import User
from app.services.accounts.change_user import change_user, remove_user
from app.services.accounts.create_user import create_user
from app.services.accounts.show_users import block_user

routes = Routes()
SETTINGS = (
    Param("email"),
    Param("username", blank=False),
    Param("name", blank=False),
    Param("password"),
    Param("admin", Kind.BOOLEAN),
)
RANDOM = (
    Param("reset_password", Kind.BOOLEAN, default=False, help="Without a password: nobody can sign in with one"),
    Param("force_random_password", Kind.BOOLEAN, default=False, help="The same"),
    Param("skip_confirmation", Kind.BOOLEAN, help="Accepted: nobody has to confirm anything here"),
)


def _administrator(call: Call) -> User:
    if not call.signed_in.is_admin:
        raise forbidden()
    return call.signed_in


def _values(call: Call) -> dict[str, Any]:
    names = {"admin": "is_admin"}
    given = {param.name for param in SETTINGS} & call.params.keys()
    return {names.get(name, name): call.params[name] for name in given}


@routes.post("/users", params=(*SETTINGS, *RANDOM))
def create_account(call: Call) -> dict[str, Any]:
    """Make a user: admins only"""
    _administrator(call)
    values = _values(call)
    if missing := [name for name in ("email", "name", "username") if name not in values]:
        raise BadParams(", ".join(f"{name} is missing" for name in missing))
    if "password" not in values and not (call.params["reset_password"] or call.params["force_random_password"]):
        raise BadParams("password, reset_password, force_random_password are missing, at least one must be provided")
    made, _ = create_user(call.core, **values)
    return entities.user_self(call.core, made)


@routes.put("/users/<user_id>", params=SETTINGS)
def update_account(call: Call) -> dict[str, Any]:
    """Change a user: admins only"""
    actor = _administrator(call)
    return entities.user_self(call.core, change_user(call.core, actor, call.params["user_id"], _values(call)))


@routes.delete("/users/<user_id>", params=(Param("hard_delete", Kind.BOOLEAN, help="Accepted: what they did stays"),))
def delete_account(call: Call) -> None:
    """Remove a user with their tokens and roles; what they started stays. Admins only"""
    remove_user(call.core, _administrator(call), call.params["user_id"])


def _block(call: Call, blocked: bool) -> Any:
    block_user(call.core, _administrator(call), call.params["user_id"], blocked=blocked)
    return True


@routes.post("/users/<user_id>/block")
def block_account(call: Call) -> Any:
    """Shut a user out: their sessions end, their tokens open nothing. Admins only"""
    return _block(call, True)


@routes.post("/users/<user_id>/unblock")
def unblock_account(call: Call) -> Any:
    """Let a user in again. Admins only"""
    return _block(call, False)
