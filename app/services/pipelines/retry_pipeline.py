"""Run what failed or was canceled in a pipeline again."""

from sqlalchemy import select

from app.domain import status
from app.domain.permissions import Action
from app.models import Job, Pipeline, User, write
from app.services import access
from app.services.core import Core
from app.services.jobs.attempts import new_attempt
from app.services.jobs.queue import update_jobs
from app.services.locks import lock_pipeline
from app.services.pipelines.advance_pipeline import advance
from app.services.repositories.ref_access import require_ref


def retry_pipeline(core: Core, pipeline: Pipeline, user: User | None) -> Pipeline:
    """Retry every failed and canceled job of `pipeline`; those that were skipped get another chance.

    Manual ones wait for a person again. Nothing happens where nothing failed. Raises NotAllowed, NotFound.
    """
    access.require(core, Action.UPDATE_PIPELINE, user, pipeline.project)
    require_ref(core, user, pipeline)
    pipeline_id, user_id = pipeline.id, user.id if user else None
    with write(core.session):
        held = lock_pipeline(core, pipeline_id)
        ended = _current(core, held, (status.FAILED, status.CANCELED))
        for job in ended:
            new_attempt(core, job, user_id)
        if ended:
            held.auto_canceled_by_id = None  # somebody wants it after all
            _reset_skipped(core, held, user_id)
            advance(core, held)
    return core.session.get_one(Pipeline, pipeline_id)


def _current(core: Core, pipeline: Pipeline, statuses: tuple[str, ...]) -> list[Job]:
    found = core.session.scalars(
        select(Job)
        .where(Job.pipeline_id == pipeline.id, Job.retried.is_(False), Job.status.in_(statuses))
        .order_by(Job.id)
    )
    return list(found)


def _reset_skipped(core: Core, pipeline: Pipeline, user_id: int | None) -> None:
    """Decide anew about all skipped jobs: those that wait for none of the retried are skipped again at once."""
    columns = {"status": status.CREATED, "updated_at": core.now()} | ({"user_id": user_id} if user_id else {})
    skipped = _current(core, pipeline, (status.SKIPPED,))
    if skipped:
        update_jobs(core, [{"id": job.id, **columns} for job in skipped])
