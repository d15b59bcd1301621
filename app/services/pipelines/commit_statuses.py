"""What other systems report of a commit: kept beside the jobs of a pipeline, and counted in its status."""

from dataclasses import dataclass

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import joinedload

from app.domain import status
from app.domain.processing import JobState
from app.models import CommitStatus, Job, Pipeline, Project
from app.services.core import Core

#: GitLab's stage of such a status; it comes behind all stages of a configuration.
STAGE = "external"
STAGE_INDEX = 1_000_000
FAILURE_REASON = "api_failure"
#: Of so many pipelines of one commit the statuses are shown.
MAX_PIPELINES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFilter:
    """What to look for; None does not matter. `everything`: also those that were reported or run again."""

    ref: str | None = None
    stage: str | None = None
    name: str | None = None
    pipeline_id: int | None = None
    everything: bool = False


def statuses_of(core: Core, project: Project, sha: str, wanted: StatusFilter) -> list[CommitStatus | Job]:
    """All that is known of a commit: reported statuses and the jobs of its pipelines, oldest first."""
    query = select(Pipeline.id).where(Pipeline.project_id == project.id, Pipeline.sha == sha)
    query = query.where(Pipeline.ref == wanted.ref) if wanted.ref is not None else query
    query = query.where(Pipeline.id == wanted.pipeline_id) if wanted.pipeline_id is not None else query
    pipelines = list(core.session.scalars(query.order_by(Pipeline.id.desc()).limit(MAX_PIPELINES)))
    found: list[CommitStatus | Job] = list(core.session.scalars(_jobs(pipelines, wanted)))
    if wanted.stage in (None, STAGE):
        found += core.session.scalars(_reported(pipelines, wanted))
    return sorted(found, key=lambda row: (row.created_at, row.id))


def _jobs(pipelines: list[int], wanted: StatusFilter) -> Select[Job]:
    query = select(Job).where(Job.pipeline_id.in_(pipelines))
    query = query.options(joinedload(Job.pipeline), joinedload(Job.user), joinedload(Job.project))
    query = query if wanted.everything else query.where(Job.retried.is_(False))
    query = query.where(Job.name == wanted.name) if wanted.name is not None else query
    return query.where(Job.stage == wanted.stage) if wanted.stage is not None else query


def _reported(pipelines: list[int], wanted: StatusFilter) -> Select[CommitStatus]:
    query = select(CommitStatus).where(CommitStatus.pipeline_id.in_(pipelines))
    query = query.options(joinedload(CommitStatus.pipeline), joinedload(CommitStatus.user))
    query = query if wanted.everything else query.where(CommitStatus.retried.is_(False))
    return query.where(CommitStatus.name == wanted.name) if wanted.name is not None else query


_counted = select(CommitStatus.id, CommitStatus.name, CommitStatus.status).where(
    CommitStatus.pipeline_id == bindparam("pipeline_id"), CommitStatus.retried.is_(False)
)


def external_states(core: Core, pipeline_id: int) -> list[JobState]:
    """The reported statuses of a pipeline as its composite status counts them, each once."""
    rows = core.session.execute(_counted, {"pipeline_id": pipeline_id}).all()
    return [
        JobState(
            id=-row.id,
            name=row.name,
            stage_index=STAGE_INDEX,
            status=row.status,
            when="on_success",
            allow_failure=False,
            needs=None,
            start_in=None,
            failure_reason=FAILURE_REASON if row.status == status.FAILED else None,
            heard=row.status == status.RUNNING,
        )
        for row in rows
    ]


def cancel_statuses(core: Core, pipeline: Pipeline) -> None:
    """*In a write*, with `pipeline` held: what has not ended elsewhere counts as canceled here."""
    core.session.execute(
        update(CommitStatus)
        .where(CommitStatus.pipeline_id == pipeline.id, CommitStatus.status.in_((status.PENDING, status.RUNNING)))
        .values(status=status.CANCELED, finished_at=core.now())
    )
