"""Stop all jobs of a pipeline."""

from collections.abc import Iterable

from app.domain.permissions import Action
from app.models import Pipeline, User, write
from app.services import access
from app.services.core import Core
from app.services.jobs.finish_job import cancel_held, hold_cancelable
from app.services.locks import lock_pipeline
from app.services.pipelines.advance_pipeline import advance
from app.services.pipelines.commit_statuses import cancel_statuses
from app.services.pipelines.pipeline_links import hold_children


def cancel_pipeline(core: Core, pipeline: Pipeline, user: User | None) -> Pipeline:
    """Cancel every job of `pipeline` that has not ended; return it as it is afterwards. Raises NotAllowed, NotFound."""
    access.require(core, Action.UPDATE_PIPELINE, user, pipeline.project)
    pipeline_id = pipeline.id
    with write(core.session):
        held = lock_pipeline(core, pipeline_id)
        cancel_all(core, held)
    return core.session.get_one(Pipeline, pipeline_id)


def cancel_all(core: Core, pipeline: Pipeline) -> None:
    """*In a write*, with `pipeline` held: cancel what can be canceled, in its child pipelines too, as a system's own
    decision.
    """
    cancel_pipelines(core, [pipeline, *hold_children(core, pipeline)])


def cancel_pipelines(core: Core, pipelines: Iterable[Pipeline]) -> None:
    """*In a write*, with all of `pipelines` held: cancel every job of theirs that has not ended."""
    for pipeline in pipelines:
        for job in hold_cancelable(core, pipeline):
            cancel_held(core, job)
        cancel_statuses(core, pipeline)
        advance(core, pipeline)
