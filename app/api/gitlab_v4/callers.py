"""Who calls: found out for every request before its view runs (gitlab.md B.0, "Authentication forms").

A token that is given and does not open anything is refused, also where anonymous callers are welcome: whoever sends one
believes to be somebody. Job tokens count only on endpoints that declare them, and are not looked at elsewhere.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import structlog
from flask import g, request
from flask_login import current_user
from flask_wtf.csrf import validate_csrf
from wtforms.validators import ValidationError

from app.api.gitlab_v4 import errors
from app.http.caller_of_request import note_caller
from app.http.edge import core
from app.models import AccessToken, Job, User
from app.services.accounts import authenticate
from app.services.accounts.create_token import SUDO
from app.services.accounts.find_user import find_user_or_none
from app.services.core import Core

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_TROUBLE = {
    "revoked": "Token was revoked. You have to re-authorize from the user.",
    "expired": "Token is expired. You can either do re-authorization or token refresh.",
    "unknown": "The access token is invalid.",
}


class Kind(StrEnum):
    """In what capacity somebody calls."""

    ANONYMOUS = "anonymous"
    USER = "user"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls. A job acts with the rights of the user who started it; `token` is a personal token in use.

    `administrator` is who acts as `user`, by `Sudo`.
    """

    kind: Kind
    user: User | None = None
    token: AccessToken | None = None
    job: Job | None = None
    administrator: User | None = None


ANONYMOUS = Caller(Kind.ANONYMOUS)


def admit(allowed: frozenset[Kind], scopes: tuple[str, ...], given: dict[str, Any]) -> Caller:
    """The caller of the current request, who has to be one of `allowed`; a personal token needs one of `scopes`.

    `given` are the parameters. Raises ApiError.
    """
    caller = _identify(core(), allowed, given)
    if caller.token is not None and not set(scopes) & set(caller.token.scopes):
        raise errors.insufficient_scope(scopes)
    if caller.kind not in allowed:
        raise errors.unauthorized()
    if sudo := request.headers.get("Sudo") or str(given.get("sudo") or ""):
        caller = _as_another(core(), caller, sudo)
    g.caller = caller
    note_caller(caller.user, _way(caller))
    if caller.user is not None:
        structlog.contextvars.bind_contextvars(user_id=caller.user.id)
    if caller.administrator is not None:
        structlog.contextvars.bind_contextvars(sudo_by=caller.administrator.id)
    return caller


def _as_another(parts: Core, caller: Caller, name: str) -> Caller:
    """An administrator acts as the user of that name or id (gitlab.md B.0). Raises ApiError."""
    if caller.user is None:
        raise errors.unauthorized()
    if not caller.user.is_admin:
        raise errors.forbidden("Must be admin to use sudo")
    if caller.token is None:
        raise errors.forbidden("Must be authenticated using an OAuth or personal access token to use sudo")
    if SUDO not in caller.token.scopes:
        raise errors.insufficient_scope((SUDO,))
    user = find_user_or_none(parts, name)
    if user is None:
        raise errors.not_found(f"User with ID or username '{name}'")
    if user.blocked:
        raise errors.forbidden("The user is blocked")
    return replace(caller, user=user, administrator=caller.user)


def _way(caller: Caller) -> str:
    if caller.administrator is not None and caller.token is not None:
        return f"sudo by {caller.administrator.username}, token {caller.token.name}"
    if caller.job is not None:
        return f"job {caller.job.id}"
    if caller.token is not None:
        return f"token {caller.token.name}"
    return "session" if caller.user is not None else "anonymous"


def _identify(parts: Core, allowed: frozenset[Kind], given: dict[str, Any]) -> Caller:
    bearer = _bearer() or _text(given.get("access_token"))
    private = request.headers.get("PRIVATE-TOKEN") or _text(given.get("private_token"))
    if Kind.JOB in allowed:
        job_token = request.headers.get("JOB-TOKEN") or _text(given.get("job_token"))
        if not private and not job_token and bearer.startswith("glcbt-"):
            job_token = bearer
        if job_token:
            return _job(parts, job_token)
    if private:
        return _user(parts, private, bearer=False)
    return _user(parts, bearer, bearer=True) if bearer else _session()


def _job(parts: Core, token: str) -> Caller:
    job = authenticate.job_by_token(parts, token)
    if job is None:
        raise errors.unauthorized()
    user = job.user if job.user is not None and not job.user.blocked else None
    return Caller(Kind.JOB, user=user, job=job)


def _user(parts: Core, token: str, bearer: bool) -> Caller:
    found = authenticate.user_by_token(parts, token)
    if found is not None:
        return Caller(Kind.USER, user=found[0], token=found[1])
    if bearer:
        raise errors.invalid_token(_TROUBLE[authenticate.token_trouble(parts, token)])
    raise errors.unauthorized()


def _session() -> Caller:
    """Whoever signed in to the pages. Browsers send the cookie for any site, so writes prove that ours asked."""
    if not request.cookies or not current_user.is_authenticated:
        return ANONYMOUS
    if request.method not in SAFE_METHODS:
        try:
            validate_csrf(request.headers.get("X-CSRF-Token") or request.headers.get("X-CSRFToken"))
        except ValidationError as error:
            raise errors.unauthorized() from error
    return Caller(Kind.USER, user=current_user._get_current_object())


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
