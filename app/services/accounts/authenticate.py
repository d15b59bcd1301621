"""Who is calling: by password, by personal token, by job token, by runner token."""

from datetime import timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import joinedload

from app import crypto
from app.domain import status
from app.models import AccessToken, Job, Runner, User, write
from app.services.core import Core

#: The last use of a token is written at most so often, so that reading an API does not write at every call.
LAST_USED_EVERY = timedelta(minutes=1)
_with_owner = (
    select(AccessToken)
    .where(AccessToken.token_hash == bindparam("token_hash"))
    .options(joinedload(AccessToken.user, innerjoin=True))
)


def user_by_password(core: Core, username: str, password: str) -> User | None:
    """The user who has this name and password, None otherwise (also when blocked)."""
    user = core.session.scalar(select(User).where(func.lower(User.username) == username.lower()))
    matches = crypto.check_password(user.password_hash if user else None, password)
    return user if user and matches and not user.blocked else None


def user_by_token(core: Core, token: str) -> tuple[User, AccessToken] | None:
    """The owner and row of a personal token that is neither revoked nor expired."""
    row = core.session.scalar(_with_owner, {"token_hash": crypto.token_hash(token)})
    now = core.now()
    if row is None or row.revoked_at or (row.expires_at and row.expires_at <= now) or row.user.blocked:
        return None
    if row.last_used_at is None or now - row.last_used_at > LAST_USED_EVERY:
        token_id = row.id
        with write(core.session):
            fresh = core.session.get_one(AccessToken, token_id)
            fresh.last_used_at = now
        row = core.session.get_one(AccessToken, token_id)
    return row.user, row


def token_trouble(core: Core, token: str) -> str:
    """Why `user_by_token` found nobody: revoked, expired, or unknown (also: the owner is blocked)."""
    row = core.session.scalar(select(AccessToken).where(AccessToken.token_hash == crypto.token_hash(token)))
    if row is not None and row.revoked_at:
        return "revoked"
    return "expired" if row is not None and row.expires_at and row.expires_at <= core.now() else "unknown"


def job_by_token(core: Core, token: str) -> Job | None:
    """The job of a job token, while it runs (running or canceling): gitlab.md A.5, "Job-token validity"."""
    job = core.session.scalar(select(Job).where(Job.token_hash == crypto.token_hash(token)))
    return job if job and job.status in status.EXECUTING and job.erased_at is None else None


def runner_by_token(core: Core, token: str) -> Runner | None:
    """The runner of an authentication token that has not expired."""
    runner = core.session.scalar(select(Runner).where(Runner.token_hash == crypto.token_hash(token)))
    if runner is None or (runner.token_expires_at and runner.token_expires_at <= core.now()):
        return None
    return runner
