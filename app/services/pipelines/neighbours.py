"""What stands beside a pipeline or a job: the next one of its project, or of its pipeline."""

from sqlalchemy import select

from app.models import Job, Pipeline
from app.services.core import Core


def next_pipeline(core: Core, pipeline: Pipeline, forward: bool) -> int:
    """The id of the newer (`forward`) or older pipeline of its project, its own where there is none."""
    query = select(Pipeline.id).where(Pipeline.project_id == pipeline.project_id).limit(1)
    if forward:
        query = query.where(Pipeline.id > pipeline.id).order_by(Pipeline.id)
    else:
        query = query.where(Pipeline.id < pipeline.id).order_by(Pipeline.id.desc())
    return core.session.scalar(query) or pipeline.id


def next_job(core: Core, job: Job, forward: bool) -> int:
    """The id of the latest try of the job behind (`forward`) or before it in its pipeline, in the order of the stages;
    its own where there is none.
    """
    order = (Job.stage_index, Job.name, Job.id)
    query = select(Job.id, Job.name).where(Job.pipeline_id == job.pipeline_id, Job.retried.is_(False)).order_by(*order)
    rows = core.session.execute(query).all()
    at = next((place for place, row in enumerate(rows) if row.name == job.name), None)
    place = None if at is None else at + (1 if forward else -1)
    return rows[place].id if place is not None and 0 <= place < len(rows) else job.id
