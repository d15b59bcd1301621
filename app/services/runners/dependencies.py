"""Which jobs' artifacts a job gets (gitlab.md C.6)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, or_, select

from app.models import Artifact, Job
from app.services.core import Core
from app.services.runners.foreign_needs import foreign_jobs


def jobs_of(core: Core, job: Job) -> list[Job]:
    """The jobs whose artifacts `job` gets, by stage: those that it names, or all of earlier stages. Then those of other
    pipelines that it names.

    A job that names none gets those of the pipeline which its own was started from too, before all others: they are
    its input (wercker.md C.2, sourceRunId).
    """
    names, source = named(job.plan), job.pipeline.source_pipeline_id
    if not names and (names is not None or (source is None and job.stage_index == 0)):
        return _foreign(core, job)
    query = select(Job).where(Job.retried.is_(False), Job.id != job.id)
    own = Job.pipeline_id == job.pipeline_id
    if names is not None:
        query = query.where(own, Job.name.in_(names))
    elif source is None:
        query = query.where(own, Job.stage_index < job.stage_index)
    else:
        query = query.where(or_(and_(own, Job.stage_index < job.stage_index), Job.pipeline_id == source))
    near = list(core.session.scalars(query.order_by(Job.pipeline_id, Job.stage_index, Job.id)))
    return near + [other for other in _foreign(core, job) if other not in near]


def _foreign(core: Core, job: Job) -> list[Job]:
    return [other for other in foreign_jobs(core, job) if other is not None]


def named(plan: Mapping[str, Any]) -> set[str] | None:
    """The names that a job's plan (as JSON) lists in `needs` and `dependencies`; None where it lists none."""
    needs, listed = plan.get("needs"), plan.get("dependencies")
    if needs is None:
        return None if listed is None else set(listed)
    needed = {need["job"] for need in needs if need.get("artifacts", True)}
    return needed if listed is None else needed & set(listed)


def archives(core: Core, jobs: list[Job]) -> dict[int, Artifact]:
    """The archive of each job that has one which has not expired, by the job's id."""
    if not jobs:
        return {}
    found = core.session.scalars(
        select(Artifact).where(
            Artifact.job_id.in_([job.id for job in jobs]),
            Artifact.file_type == "archive",
            or_(Artifact.expire_at.is_(None), Artifact.expire_at > core.now()),
        )
    )
    return {artifact.job_id: artifact for artifact in found}


def are_gone(core: Core, job_id: int) -> bool:
    """Whether artifacts of a job that this one names have expired or were erased, or are not to be had in another
    pipeline: then it cannot run.
    """
    plan = core.session.scalars(select(Job.plan).where(Job.id == job_id)).one()
    if plan.get("foreign_needs") and None in foreign_jobs(core, core.session.get_one(Job, job_id)):
        return True
    if not named(plan):
        return False
    now = core.now()
    return any(
        other.erased_at is not None or (other.artifacts_expire_at is not None and other.artifacts_expire_at <= now)
        for other in jobs_of(core, core.session.get_one(Job, job_id))
    )
