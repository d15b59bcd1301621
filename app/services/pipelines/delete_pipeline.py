"""Delete a pipeline with its children and all that their jobs left behind."""

from sqlalchemy import delete, select

from app.domain.audit import Act
from app.domain.permissions import Action
from app.models import Artifact, Job, Pipeline, User, after_commit, write
from app.services import access
from app.services.artifacts.remove_artifacts import remove_artifacts
from app.services.audit.record import record
from app.services.core import Core
from app.services.locks import lock_pipeline
from app.services.pipelines.cancel_pipeline import cancel_all
from app.services.pipelines.lost_downstream import fail_waiting
from app.services.pipelines.pipeline_links import child_ids


def delete_pipeline(core: Core, pipeline: Pipeline, user: User | None) -> None:
    """Cancel what still runs in `pipeline`; remove it and its child pipelines, their jobs, logs and artifacts.

    Raises NotAllowed, NotFound.
    """
    access.require(core, Action.DESTROY_PIPELINE, user, pipeline.project)
    pipeline_id = pipeline.id
    with write(core.session):
        held = lock_pipeline(core, pipeline_id)
        project = held.project
        cancel_all(core, held)
        all_ids = [pipeline_id, *child_ids(core, [pipeline_id])]
        job_ids = list(core.session.scalars(select(Job.id).where(Job.pipeline_id.in_(all_ids))))
        remove_artifacts(core, core.session.scalars(select(Artifact).where(Artifact.job_id.in_(job_ids))))
        fail_waiting(core, select(Pipeline.id).where(Pipeline.id.in_(all_ids)))
        core.session.flush()
        core.session.execute(delete(Pipeline).where(Pipeline.id.in_(all_ids)))  # the database takes its jobs along
        record(core, Act.PIPELINE_DELETED, f"#{pipeline_id}", place=project)
        after_commit(core.session, lambda: _remove_traces(core, job_ids))


def _remove_traces(core: Core, job_ids: list[int]) -> None:
    for job_id in job_ids:
        core.traces.remove(job_id)
