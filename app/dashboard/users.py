"""The administrator's list of users."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import administrator
from app.dashboard.error_pages import sentence
from app.domain.errors import AlreadyExists, Conflict, InvalidRequest
from app.http.edge import core
from app.models import User
from app.services.accounts.change_user import change_user
from app.services.accounts.create_user import create_user
from app.services.accounts.manage_user import end_sessions, reset_password
from app.services.accounts.show_users import LIMIT, block_user, show_users


def _page(error: tuple[str, str] | None = None, made: tuple[str, str] | None = None) -> str:
    found = show_users(core(), request.args.get("after", ""))
    more = found[-1].username if len(found) == LIMIT else None
    return render_template("admin/users.html", users=found, next_after=more, error=error, made=made)


@pages.get("/-/admin/users")
def users() -> ResponseReturnValue:
    administrator()
    return _page()


@pages.post("/-/admin/users")
def make_user() -> ResponseReturnValue:
    administrator()
    form = request.form
    try:
        user, password = create_user(
            core(),
            username=form.get("username", "").strip(),
            name=form.get("name", "").strip() or None,
            email=form.get("email", "").strip(),
            is_admin="is_admin" in form,
        )
    except (InvalidRequest, AlreadyExists) as error:
        return _page(error=(error.field or "username", sentence(error))), 422
    return _page(made=(user.username, password)), 201, {"Cache-Control": "no-store"}


@pages.post("/-/admin/users/<key:user_id>/<any(block, unblock, promote, demote, sign_out):verb>")
def act_on_user(user_id: int, verb: str) -> ResponseReturnValue:
    said = _change(administrator(), user_id, verb)
    flash(said, "done")
    return redirect(url_for("pages.users"), 303)


def _change(actor: User, user_id: int, verb: str) -> str:
    """Do it, and say what came of it."""
    if verb in ("promote", "demote"):
        user = change_user(core(), actor, user_id, {"is_admin": verb == "promote"})
        return f"{user.username} is {'an administrator' if user.is_admin else 'an ordinary user'} now."
    if verb == "sign_out":
        return f"{end_sessions(core(), user_id).username} is signed out everywhere."
    user = block_user(core(), actor, user_id, blocked=verb == "block")
    return f"{user.username} is {'shut out' if user.blocked else 'let in again'}."


@pages.post("/-/admin/users/<key:user_id>/password")
def make_password(user_id: int) -> ResponseReturnValue:
    """A new password for somebody else, shown this once. One's own is changed in the profile."""
    if administrator().id == user_id:
        raise Conflict("change your own password in your profile")
    user, password = reset_password(core(), user_id)
    return _page(made=(user.username, password)), 201, {"Cache-Control": "no-store"}
