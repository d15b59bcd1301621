"""Who acts in the current request: each edge says so once it knows, and the audit log asks (`Core.caller`)."""

from flask import g, has_request_context, request
from flask_login import current_user

from app.domain.audit import Caller
from app.models import User


def note_caller(user: User | None, way: str) -> None:
    """This request comes from `user` (None: nobody who is known), who was known by `way`."""
    g.acting = (user.id, user.username, way) if user else (None, "", way)


def caller() -> Caller:
    """Who acts: whom the edge noted, else whoever is signed in to the pages. Outside a request it is the server."""
    if not has_request_context():
        return Caller()
    address = request.remote_addr or ""
    noted = g.get("acting")
    if noted is None and request.cookies and current_user.is_authenticated:
        noted = (current_user.id, current_user.username, "session")
    user_id, name, way = noted or (None, "", "anonymous")
    return Caller(user_id, name, address, way)
