"""Sign in and out with the cookie that the dashboard uses, and who one is."""

from flask import Blueprint, Response, jsonify, request

from app.api.candor.answers import json_body, word
from app.api.candor.callers import caller
from app.domain.errors import Conflict, LimitExceeded
from app.http import session_of_visitor
from app.http.edge import core
from app.services.accounts.sign_in import sign_in


def add_routes(blueprint: Blueprint) -> None:
    blueprint.get("/me")(show_me)
    blueprint.post("/login")(log_in)
    blueprint.post("/logout")(log_out)


def show_me() -> Response:
    """The user of the session, or 401."""
    user = caller()
    return word(401) if user is None else jsonify(id=user.id, name=user.username)


def log_in() -> Response:
    """200 and a cookie; 400 where a name or password is missing, 401 where they do not belong together.

    Who is signed in already gets 200, whatever they sent. 429 and 503 as on the page: guessing is slowed down.
    """
    if caller() is not None:
        return word(200)
    body = json_body()
    given = body if isinstance(body, dict) else {}
    username, password = given.get("username"), given.get("password")
    if not isinstance(username, str) or not isinstance(password, str) or not username or not password:
        return word(400)
    try:
        user = sign_in(core(), username, password, request.remote_addr or "")
    except LimitExceeded as error:
        response = word(429)
        response.headers["Retry-After"] = str(error.limit)
        return response
    except Conflict:
        return word(503)
    if user is None:
        return word(401)
    session_of_visitor.begin(user)
    return word(200)


def log_out() -> Response:
    """200, also for who was not signed in."""
    session_of_visitor.end()
    return word(200)
