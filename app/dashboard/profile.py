"""One's own account, and its password."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import signed_in
from app.dashboard.error_pages import sentence
from app.domain.errors import Conflict, InvalidRequest, LimitExceeded
from app.http import session_of_visitor
from app.http.edge import core
from app.models import User
from app.services.accounts.manage_user import change_password


def _page(user: User, error: tuple[str, str] | None = None) -> str:
    return render_template("profile/show.html", user=user, error=error)


@pages.get("/-/profile")
def profile() -> ResponseReturnValue:
    return _page(signed_in())


@pages.post("/-/profile/password")
def save_password() -> ResponseReturnValue:
    """Every session ends but this one."""
    user, form = signed_in(), request.form
    wanted = form.get("password", "")
    try:
        if wanted != form.get("again", ""):
            raise InvalidRequest("the two do not agree", "again")
        changed = change_password(core(), user, form.get("current", ""), wanted, request.remote_addr or "")
    except InvalidRequest as error:
        return _page(user, (error.field or "password", sentence(error))), 422
    except LimitExceeded as error:
        return _page(user, ("current", str(error))), 429, {"Retry-After": str(error.limit)}
    except Conflict as error:
        return _page(user, ("current", sentence(error))), 503
    session_of_visitor.begin(changed)
    flash("Your password is changed. You are signed out everywhere else.", "done")
    return redirect(url_for("pages.profile"), 303)
