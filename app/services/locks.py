"""Locking rows in the one order that cannot deadlock: a project, a pipeline, its jobs, the queue's counter last.

On SQLite `write` already holds the whole database. On PostgreSQL these are row locks: whoever moves a job takes its
pipeline first. A claim and a piece of trace take only the job; they never wait for a pipeline while they hold it.
"""

from sqlalchemy import bindparam, select
from sqlalchemy.orm.attributes import set_committed_value

from app.domain.errors import NotFound
from app.models import Job, Pipeline, Project
from app.services.core import Core

#: Rows that refer to a held one may still be added meanwhile (FOR NO KEY UPDATE).
_HELD = {"key_share": True}
_pipeline_of = select(Job.pipeline_id).where(Job.id == bindparam("job_id"))


def lock_project(core: Core, project_id: int) -> Project:
    """The project as it is now, held until the end of the write, to count its pipelines. Raises NotFound."""
    project = core.session.get(Project, project_id, with_for_update=_HELD, populate_existing=True)
    if project is None:
        raise NotFound("Project")
    return project


def lock_pipeline(core: Core, pipeline_id: int) -> Pipeline:
    """The pipeline as it is now, held until the end of the write. Raises NotFound."""
    pipeline = core.session.get(Pipeline, pipeline_id, with_for_update=_HELD, populate_existing=True)
    if pipeline is None:
        raise NotFound("Pipeline")
    return pipeline


def try_pipeline(core: Core, pipeline_id: int) -> Pipeline | None:
    """The same for who holds a job already and must not wait; None where somebody else holds the pipeline."""
    return core.session.scalar(
        select(Pipeline)
        .where(Pipeline.id == pipeline_id)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )


def lock_job(core: Core, job_id: int) -> Job:
    """The job as it is now, with its pipeline, both held until the end of the write: to move it. Raises NotFound.

    `job.pipeline` is the one that is held, and needs not be read again.
    """
    pipeline_id = core.session.scalar(_pipeline_of, {"job_id": job_id})
    if pipeline_id is None:
        raise NotFound("Job")
    pipeline = lock_pipeline(core, pipeline_id)
    job = lock_job_alone(core, job_id)
    set_committed_value(job, "pipeline", pipeline)
    return job


def lock_job_alone(core: Core, job_id: int) -> Job:
    """The job as it is now, held until the end of the write: to add to it, not to move it. Raises NotFound."""
    job = core.session.get(Job, job_id, with_for_update=_HELD, populate_existing=True)
    if job is None:
        raise NotFound("Job")
    return job
