"""Work that follows from a write in a transaction of its own, because it touches what the write must not hold."""

from collections.abc import Callable

import structlog

from app.models import after_commit
from app.services.core import Core

_log = structlog.get_logger(__name__)


def afterwards(core: Core, work: Callable[[], object]) -> None:
    """*In a write*: do `work` once it is committed. What it raises is logged: the write itself has succeeded.

    A server that is killed in between leaves it undone, so somebody has to look again later, or be able to do without.
    """

    def guarded() -> None:
        try:
            work()
        except Exception:
            _log.exception("what follows from a write was not done")
        finally:
            core.session.rollback()  # it may have read last: nobody waits for anything with a connection in hand

    after_commit(core.session, guarded)
