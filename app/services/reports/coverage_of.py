"""The coverage of a pipeline's jobs, and how it moved."""

from dataclasses import dataclass

from sqlalchemy import select

from app.domain import status
from app.models import Job, Pipeline
from app.services.core import Core

#: Among so many of the last pipelines of the default branch the last figure of a job is looked for.
LOOKED_BACK = 20


@dataclass(frozen=True, slots=True)
class JobCoverage:
    """A job with its coverage in percent. `before`: that of its last run that passed on the default branch, None where
    there is none.
    """

    job: Job
    percent: float
    before: float | None

    @property
    def change(self) -> float | None:
        return None if self.before is None else self.percent - self.before


def pipeline_coverage(core: Core, pipeline: Pipeline) -> list[JobCoverage]:
    """The jobs of `pipeline` that told of a coverage, in the order of its stages."""
    jobs = core.session.scalars(
        select(Job)
        .where(Job.pipeline_id == pipeline.id, Job.retried.is_(False), Job.coverage.is_not(None))
        .order_by(Job.stage_index, Job.name)
    ).all()
    before = _before(core, pipeline) if jobs else {}
    return [JobCoverage(job, job.coverage, before.get(job.name)) for job in jobs if job.coverage is not None]


def _before(core: Core, pipeline: Pipeline) -> dict[str, float]:
    earlier = core.session.scalars(
        select(Pipeline.id)
        .where(
            Pipeline.project_id == pipeline.project_id,
            Pipeline.ref == pipeline.project.default_branch,
            Pipeline.id < pipeline.id,
        )
        .order_by(Pipeline.id.desc())
        .limit(LOOKED_BACK)
    ).all()
    query = select(Job.name, Job.coverage).where(
        Job.pipeline_id.in_(earlier), Job.coverage.is_not(None), Job.status == status.SUCCESS
    )
    found: dict[str, float] = {}
    for name, percent in core.session.execute(query.order_by(Job.pipeline_id.desc(), Job.id.desc())):
        found.setdefault(name, percent or 0.0)
    return found
