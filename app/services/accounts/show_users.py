"""Users as the administrator looks at them, and shutting one out."""

import secrets

from sqlalchemy import func, select, update

from app.domain.audit import Act
from app.domain.errors import Conflict, NotFound
from app.models import PipelineSchedule, User, write
from app.services.accounts.sign_ins import forget_sign_ins
from app.services.audit.record import record
from app.services.core import Core

LIMIT = 100


def show_users(core: Core, after: str = "") -> list[User]:
    """Up to 100 users by name, those behind the name `after`."""
    name = func.lower(User.username)
    return list(core.session.scalars(select(User).where(name > after.lower()).order_by(name).limit(LIMIT)))


def block_user(core: Core, actor: User, user_id: int, blocked: bool) -> User:
    """Shut a user out, or let them in again. All their sessions end, and their schedules stop.

    Raises NotFound, Conflict for oneself.
    """
    if user_id == actor.id:
        raise Conflict("you cannot shut yourself out")
    with write(core.session):
        user = core.session.get(User, user_id)
        if user is None:
            raise NotFound("User")
        if user.blocked != blocked:
            record(core, Act.USER_BLOCKED if blocked else Act.USER_UNBLOCKED, user.username)
        user.blocked = blocked
        user.session_nonce = secrets.token_urlsafe(16)
        forget_sign_ins(core, user_id)
        if blocked:
            stop = update(PipelineSchedule).where(PipelineSchedule.owner_id == user_id).values(active=False)
            core.session.execute(stop.execution_options(synchronize_session=False))
    return user
