"""Jobs that cannot be handed to a runner, whoever asks: they end with a reason, so that those behind them go on."""

from collections.abc import Callable

import structlog
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from app import crypto
from app.domain import status
from app.models import Job, write
from app.services.core import Core
from app.services.jobs.finish_job import close, finish
from app.services.locks import lock_job
from app.services.pipelines.advance_pipeline import advance

log = structlog.get_logger(__name__)

#: A database that is away, locked or full fails for every job: none of them is to blame.
TROUBLE: tuple[type[Exception], ...] = (OperationalError, InterfaceError, InternalError, NoConnection)

_End = Callable[[Core, Job, str, str | None], None]


def end_unclaimable(core: Core, job_id: int, reason: str, message: str | None = None, token: str | None = None) -> None:
    """Fail a job for `reason` (`domain.failure`), unless it moved meanwhile: it is pending, or runs with `token`.

    What makes it impossible to hand it out may make it as impossible to see to all that follows from its end: then
    that is left out, and the job ends all the same. Raises where even that fails; then nothing has happened.
    """
    try:
        _end(core, job_id, token, _with_all_that_follows, reason, message)
    except TROUBLE:
        raise
    except Exception:
        log.exception("what follows from the end of a job could not be done", job=job_id)
        _end(core, job_id, token, _alone, reason, message)


def _end(core: Core, job_id: int, token: str | None, end: _End, reason: str, message: str | None) -> None:
    with write(core.session):
        job = lock_job(core, job_id)
        waits = token is None and job.status == status.PENDING
        runs = token is not None and job.token_hash == crypto.token_hash(token) and job.status not in status.COMPLETED
        if waits or runs:
            end(core, job, reason, message)


def _with_all_that_follows(core: Core, job: Job, reason: str, message: str | None) -> None:
    finish(core, job, status.FAILED, reason, message=message)


def _alone(core: Core, job: Job, reason: str, message: str | None) -> None:
    """What its plan says of environments, releases and further attempts is left out."""
    job.delivers = False
    close(core, job, status.FAILED, reason, message=message)
    advance(core, job.pipeline)
