"""A run by its number, and its jobs with all their attempts."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.domain.errors import NotFound
from app.models import Job, Pipeline, Project
from app.services.core import Core


class Attempt(NamedTuple):
    """One attempt at a job, as in its row. The first is number 1."""

    name: str
    status: str
    number: int
    retried: bool
    failure_reason: str | None
    heard_at: datetime | None


def run_by_number(core: Core, project: Project, number: int) -> Pipeline:
    """The run that is the `number`th of `project`. Raises NotFound."""
    found = core.session.scalar(
        select(Pipeline)
        .where(Pipeline.project_id == project.id, Pipeline.iid == number)
        .options(joinedload(Pipeline.project))
    )
    if found is None:
        raise NotFound("Pipeline")
    return found


def attempts(core: Core, run: Pipeline) -> list[Attempt]:
    """Every attempt at every job of `run`, by stage and job, the first attempt first."""
    rows = core.session.execute(
        select(Job.name, Job.status, Job.attempt, Job.retried, Job.failure_reason, Job.heard_at)
        .where(Job.pipeline_id == run.id)
        .order_by(Job.stage_index, Job.name, Job.attempt, Job.id)
    )
    return [Attempt(*row) for row in rows]
