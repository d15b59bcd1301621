"""Personal access tokens: the list, a new one (shown once), taking one back."""

from datetime import UTC, datetime, timedelta

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import signed_in
from app.dashboard.error_pages import sentence
from app.domain.errors import InvalidRequest
from app.http.edge import core
from app.models import User
from app.services.accounts.access_tokens import TokenFilter
from app.services.accounts.access_tokens import tokens as search_tokens
from app.services.accounts.create_token import create_token, scopes_for
from app.services.accounts.revoke_token import revoke_token

DEFAULT_LIFE = timedelta(days=90)


def _page(user: User, fresh: str | None = None, error: tuple[str, str] | None = None) -> str:
    expires = (core().now() + DEFAULT_LIFE).date().isoformat()
    mine = core().session.scalars(search_tokens(core(), user, user.id, TokenFilter(state="active"))).all()
    return render_template(
        "profile/tokens.html", tokens=mine, scopes=scopes_for(user), fresh=fresh, error=error, expires=expires
    )


@pages.get("/-/profile/tokens")
def tokens() -> ResponseReturnValue:
    return _page(signed_in())


@pages.post("/-/profile/tokens")
def make_token() -> ResponseReturnValue:
    user, form = signed_in(), request.form
    try:
        _, plain = create_token(
            core(),
            user=user,
            name=form.get("name", ""),
            scopes=form.getlist("scopes"),
            expires_at=_day(form.get("expires_at", "")),
        )
    except InvalidRequest as error:
        return _page(user, error=(error.field or "name", sentence(error))), 422
    response = make_response(_page(user, fresh=plain), 201)
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.post("/-/profile/tokens/<key:token_id>/revoke")
def take_token_back(token_id: int) -> ResponseReturnValue:
    token = revoke_token(core(), signed_in(), token_id)
    flash(f"The token {token.name} opens nothing any more.", "done")
    return redirect(url_for("pages.tokens"), 303)


def _day(text: str) -> datetime | None:
    """The beginning of that day in UTC, None for no expiry. Raises InvalidRequest."""
    if not text.strip():
        return None
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidRequest("an expiry is a day such as 2030-12-31", "expires_at") from None
