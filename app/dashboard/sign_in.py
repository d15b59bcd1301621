"""Sign in, sign out, and who a session belongs to."""

from flask import Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import visitor
from app.dashboard.redirects import safe_next
from app.domain.errors import Conflict, LimitExceeded
from app.extensions import login_manager
from app.http import session_of_visitor
from app.http.edge import core
from app.models import User
from app.services.accounts.sign_in import sign_in as check_and_sign_in
from app.services.accounts.sign_ins import IDLE, is_signed_in


@login_manager.user_loader
def load_user(identity: str) -> User | None:
    """The user of a session cookie, while the session lasts."""
    user = user_of_session(identity, session_of_visitor.secret())
    if user is not None:
        session_of_visitor.keep()
    return user


def user_of_session(identity: str | None, secret: str) -> User | None:
    """The user whom `User.get_id` gave `identity`, None when their session has ended or they were shut out since."""
    number, _, nonce = (identity or "").partition(":")
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    if not is_signed_in(core(), int(number), secret):
        return None
    user = core().session.get(User, int(number))
    return user if user and user.session_nonce == nonce and not user.blocked else None


@pages.get("/-/sign_in")
def sign_in() -> ResponseReturnValue:
    target = safe_next(request.args.get("next"), url_for("pages.projects"))
    if visitor():
        return redirect(target)
    return render_template("sign_in.html", next=target, username="")


@pages.post("/-/sign_in")
def sign_in_with_password() -> ResponseReturnValue:
    target = safe_next(request.form.get("next"), url_for("pages.projects"))
    username, password = request.form.get("username", ""), request.form.get("password", "")
    try:
        user = check_and_sign_in(core(), username, password, request.remote_addr or "")
    except LimitExceeded as error:
        page = render_template("sign_in.html", next=target, username=username, error=str(error))
        return page, 429, {"Retry-After": str(error.limit)}
    except Conflict as error:
        return render_template("sign_in.html", next=target, username=username, error=str(error)), 503
    if user is None:
        wrong = "That name and password do not belong together."
        return render_template("sign_in.html", next=target, username=username, error=wrong), 401
    session_of_visitor.begin(user)
    return redirect(target, 303)


@pages.post("/-/sign_out")
def sign_out() -> ResponseReturnValue:
    session_of_visitor.end()
    flash("You are signed out.", "done")
    return redirect(url_for("pages.sign_in"), 303)


def init_app(app: Flask) -> None:
    app.config.update(PERMANENT_SESSION_LIFETIME=IDLE, SESSION_REFRESH_EACH_REQUEST=False)
