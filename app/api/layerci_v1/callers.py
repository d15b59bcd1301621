"""Who calls: a personal access token in the query, also of a POST (layerci.md B.1).

LayerCI called it `layertoken`, webapp.io `token`. Where both are given, `token` counts.
"""

from typing import cast

import structlog
from flask import g, request

from app.api.layerci_v1.errors import ApiError
from app.http.caller_of_request import note_caller
from app.http.edge import core
from app.models import User
from app.services.accounts.authenticate import user_by_token

NEW_NAME, OLD_NAME = "token", "layertoken"
_READ = frozenset({"api", "read_api"})
_WRITE = frozenset({"api"})


def admit() -> None:
    """Before every view: find out who calls. ApiError 401 for no or a wrong token, 403 for one of the wrong scope."""
    token = request.args.get(NEW_NAME) or request.args.get(OLD_NAME) or ""
    found = user_by_token(core(), token) if token else None
    if found is None:
        said = "This token is not valid" if token else f"Give an access token as ?{NEW_NAME}= or ?{OLD_NAME}="
        raise ApiError(401, said)
    user, row = found
    needed = _READ if request.method in ("GET", "HEAD", "OPTIONS") else _WRITE
    if not needed & set(row.scopes):
        raise ApiError(403, f"The token needs the scope {' or '.join(sorted(needed))}")
    g.caller = user
    note_caller(user, f"token {row.name}")
    structlog.contextvars.bind_contextvars(user_id=user.id)


def caller() -> User:
    """The user whose token this request has."""
    return cast(User, g.caller)


def knows_uuids() -> bool:
    """Whether the caller goes by webapp.io's documents, where a run has a `uuid`; LayerCI's had none."""
    return bool(request.args.get(NEW_NAME))
