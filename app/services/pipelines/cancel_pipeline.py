"""Stop all jobs of a pipeline."""

from sqlalchemy import select

from app.domain import status
from app.domain.permissions import Action
from app.models import Job, Pipeline, User, write
from app.services import access
from app.services.core import Core
from app.services.jobs.cancel_job import cancel_held
from app.services.locks import lock_pipeline
from app.services.pipelines.advance_pipeline import advance
from app.services.pipelines.commit_statuses import cancel_statuses


def cancel_pipeline(core: Core, pipeline: Pipeline, user: User | None) -> Pipeline:
    """Cancel every job of `pipeline` that has not ended; return it as it is afterwards. Raises NotAllowed, NotFound."""
    access.require(core, Action.UPDATE_PIPELINE, user, pipeline.project)
    pipeline_id = pipeline.id
    with write(core.session):
        held = lock_pipeline(core, pipeline_id)
        cancel_all(core, held)
    return core.session.get_one(Pipeline, pipeline_id)


def cancel_all(core: Core, pipeline: Pipeline) -> None:
    """*In a write*, with `pipeline` held: cancel what can be canceled, as a system's own decision."""
    jobs = core.session.scalars(
        select(Job)
        .where(Job.pipeline_id == pipeline.id, Job.status.in_(status.CANCELABLE))
        .order_by(Job.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for job in jobs:
        cancel_held(core, job)
    cancel_statuses(core, pipeline)
    advance(core, pipeline)
