"""The steps of a pipeline: those of its jobs, by stage, job and position, each with its own piece of the log."""

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from app.models import Job, JobStep, Pipeline
from app.services.core import Core
from app.services.jobs.read_trace import Trace, open_trace


def steps_of(core: Core, pipeline: Pipeline) -> list[JobStep]:
    """The steps of `pipeline`, their jobs and their jobs' artifacts loaded; those of retried jobs are left out."""
    query = (
        select(JobStep)
        .join(JobStep.job)
        .where(Job.pipeline_id == pipeline.id, Job.retried.is_(False))
        .order_by(Job.stage_index, Job.id, JobStep.position)
        .options(contains_eager(JobStep.job).selectinload(Job.artifacts))
    )
    return list(core.session.scalars(query))


def find_step(core: Core, step_id: int) -> JobStep | None:
    """The step of that id with its job, also of one that was retried."""
    loaded = joinedload(JobStep.job)
    query = select(JobStep).where(JobStep.id == step_id)
    return core.session.scalar(
        query.options(loaded.joinedload(Job.project), loaded.joinedload(Job.pipeline), loaded.selectinload(Job.steps))
    )


def open_log(core: Core, step: JobStep) -> Trace:
    """What `step` has printed, as it stands now.

    A stock runner does not say where a step's output begins: then the first step of the job has the whole log.
    """
    trace = open_trace(core, step.job)
    if step.trace_start is None:
        told = any(other.trace_start is not None for other in step.job.steps)
        first = step.position == min(other.position for other in step.job.steps)
        return trace if first and not told else trace.part(0, 0)
    return trace.part(step.trace_start, trace.size if step.trace_end is None else step.trace_end)
