"""One process does the background work: the one whose name stands in the leader's row."""

from datetime import timedelta

from sqlalchemy import or_, update
from sqlalchemy.exc import IntegrityError

from app.models import Leader, write
from app.services.core import Core

NAME = "background"
#: A leader that was killed is followed after so long.
TERM = timedelta(seconds=30)


def lead(core: Core, holder: str) -> bool:
    """Take the lead, or keep it for another term. False while another process has it."""
    now = core.now()
    take = (
        update(Leader)
        .where(Leader.name == NAME, or_(Leader.holder == holder, Leader.expires_at < now))
        .values(holder=holder, expires_at=now + TERM)
        .returning(Leader.holder)
        .execution_options(synchronize_session=False)
    )
    with write(core.session):
        if core.session.scalar(take) is not None:
            return True
        taken = core.session.get(Leader, NAME) is not None
    return False if taken else _found(core, holder)


def _found(core: Core, holder: str) -> bool:
    """The first leader of all makes the row."""
    try:
        with write(core.session):
            core.session.add(Leader(name=NAME, holder=holder, expires_at=core.now() + TERM))
    except IntegrityError:
        return False
    return True


def resign(core: Core, holder: str) -> None:
    """Let the next process lead at once."""
    with write(core.session):
        core.session.execute(
            update(Leader)
            .where(Leader.name == NAME, Leader.holder == holder)
            .values(expires_at=core.now())
            .execution_options(synchronize_session=False)
        )
