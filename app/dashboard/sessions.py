"""Where one is signed in: each session, and its end."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import signed_in
from app.http import session_of_visitor
from app.http.edge import core
from app.services.accounts.manage_user import end_sessions
from app.services.accounts.sign_ins import revoke_sign_in, sign_ins_of, this_sign_in


def _back() -> ResponseReturnValue:
    return redirect(url_for("pages.sessions"), 303)


@pages.get("/-/profile/sessions")
def sessions() -> ResponseReturnValue:
    user = signed_in()
    found = core().session.scalars(sign_ins_of(core(), user.id)).all()
    this = this_sign_in(core(), user.id, session_of_visitor.secret())
    return render_template("profile/sessions.html", sessions=found, this=this)


@pages.post("/-/profile/sessions/<key:session_id>/end")
def end_session(session_id: int) -> ResponseReturnValue:
    """One of them; of this one, that is to sign out."""
    revoke_sign_in(core(), signed_in(), session_id)
    flash("That session is ended.", "done")
    return _back()


@pages.post("/-/profile/sessions/end")
def end_other_sessions() -> ResponseReturnValue:
    """Every session ends but this one."""
    session_of_visitor.begin(end_sessions(core(), signed_in().id))
    flash("You are signed out everywhere else.", "done")
    return _back()
