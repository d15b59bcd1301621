"""Which jobs' artifacts a job gets (gitlab.md C.6)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, or_, select
from sqlalchemy.orm import load_only

from app.models import Artifact, Job
from app.services.core import Core
from app.services.runners.foreign_needs import foreign_jobs


def _near(condition: ColumnElement[bool]) -> Any:
    """Put together once: that takes longer than to execute it."""
    query = select(Job).where(Job.retried.is_(False), Job.id != bindparam("job"), condition)
    few = load_only(Job.pipeline_id, Job.stage_index, Job.name, Job.erased_at, Job.artifacts_expire_at)
    return query.options(few).order_by(Job.pipeline_id, Job.stage_index, Job.id)


_own = Job.pipeline_id == bindparam("pipeline")
_earlier = and_(_own, Job.stage_index < bindparam("stage"))
_NAMED = _near(and_(_own, Job.name.in_(bindparam("names", expanding=True))))
_EARLIER = _near(_earlier)
_EARLIER_AND_SOURCES = _near(or_(_earlier, Job.pipeline_id == bindparam("source")))
_ARCHIVES = select(Artifact).where(
    Artifact.job_id.in_(bindparam("jobs", expanding=True)),
    Artifact.file_type == "archive",
    or_(Artifact.expire_at.is_(None), Artifact.expire_at > bindparam("now")),
)


def jobs_of(core: Core, job: Job) -> list[Job]:
    """The jobs whose artifacts `job` gets, by stage: those that it names, or all of earlier stages. Then those of other
    pipelines that it names.

    A job that names none gets those of the pipeline which its own was started from too, before all others: they are
    its input (wercker.md C.2, sourceRunId).
    """
    names, source = named(job.plan), job.pipeline.source_pipeline_id
    if not names and (names is not None or (source is None and job.stage_index == 0)):
        return _foreign(core, job)
    values: dict[str, Any] = {"job": job.id, "pipeline": job.pipeline_id}
    if names is not None:
        query = _NAMED
        values["names"] = sorted(names)
    else:
        query = _EARLIER if source is None else _EARLIER_AND_SOURCES
        values |= {"stage": job.stage_index} | ({} if source is None else {"source": source})
    near = list(core.session.scalars(query, values))
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
    found = core.session.scalars(_ARCHIVES, {"jobs": [job.id for job in jobs], "now": core.now()})
    return {artifact.job_id: artifact for artifact in found}


def are_gone(core: Core, job_id: int, plan: Mapping[str, Any]) -> bool:
    """Whether artifacts of a job that this one names in its `plan` have expired or were erased, or are not to be had in
    another pipeline: then it cannot run.
    """
    if plan.get("foreign_needs") and None in foreign_jobs(core, core.session.get_one(Job, job_id)):
        return True
    if not named(plan):
        return False
    now = core.now()
    return any(
        other.erased_at is not None or (other.artifacts_expire_at is not None and other.artifacts_expire_at <= now)
        for other in jobs_of(core, core.session.get_one(Job, job_id))
    )
