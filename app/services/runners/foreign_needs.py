"""Artifacts of other pipelines: `needs: {project, ref, job}` and `needs: {pipeline, job}` (gitlab.md C.6).

The user who started the job has to be allowed to read them; what is not found and what may not be read are alike.
"""

from collections.abc import Iterator

from sqlalchemy import Select, func, or_, select

from app.domain import plan_json, status
from app.domain.errors import SkerryError
from app.domain.permissions import Action
from app.domain.plan import ForeignNeed
from app.domain.variables import expand
from app.models import Artifact, Job, Pipeline, Project
from app.services import access
from app.services.core import Core
from app.services.pipelines.bridge_variables import values_of
from app.services.pipelines.pipeline_links import family_ids
from app.services.pipelines.pipeline_request import MERGE_REQUEST

_LARGEST_ID = 2**63 - 1


def foreign_jobs(core: Core, job: Job) -> list[Job | None]:
    """For each foreign need of `job` whose artifacts it wants, the newest job that has them; None: there is none."""
    found = (core.session.scalar(query.limit(1)) if query is not None else None for query in _queries(core, job))
    return list(found)


def may_fetch(core: Core, job: Job, wanted: Job) -> bool:
    """Whether `wanted` is what a foreign need of `job` names, be it the newest such job or an earlier one: a newer one
    may have come since `job` was handed out.
    """
    queries = (query for query in _queries(core, job) if query is not None)
    return any(core.session.scalar(query.where(Job.id == wanted.id)) is not None for query in queries)


def _queries(core: Core, job: Job) -> Iterator[Select[Job] | None]:
    """A select of the jobs with artifacts that each foreign need means, newest first; None where it means nothing."""
    needs = [plan_json.from_json(ForeignNeed, need) for need in job.plan.get("foreign_needs", ())]
    wanted = [need for need in needs if need.artifacts]
    if not wanted:
        return
    try:
        values = values_of(core, job)
    except SkerryError:  # settings that go in circles since: then nothing that is named by them is found
        values = {}
    for need in wanted:
        name = expand(need.job, values)
        if need.project is not None:
            place = _in_project(core, job, expand(need.project, values), expand(need.ref or "", values))
        else:
            place = _in_pipeline(core, job, expand(need.pipeline or "", values))
        yield None if place is None else _with_archive(core, place.where(Job.name == name))


def _in_project(core: Core, job: Job, path: str, ref: str) -> Select[Job] | None:
    project = core.session.scalar(select(Project).where(func.lower(Project.full_path) == path.lower()))
    if project is None or not access.may(core, Action.READ_ARTIFACTS, job.user, project):
        return None
    return (
        select(Job)
        .join(Pipeline, Pipeline.id == Job.pipeline_id)
        .where(Job.project_id == project.id, Pipeline.ref == ref, Pipeline.source != MERGE_REQUEST)
    )


def _in_pipeline(core: Core, job: Job, text: str) -> Select[Job] | None:
    """Only of the same project, and of pipelines that belong together with the job's own."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    if not 0 < number <= _LARGEST_ID or number not in family_ids(core, job.pipeline):
        return None
    return select(Job).where(Job.pipeline_id == number, Job.retried.is_(False))


def _with_archive(core: Core, query: Select[Job]) -> Select[Job]:
    query = query.join(Artifact, Artifact.job_id == Job.id).where(
        Job.status == status.SUCCESS,
        Artifact.file_type == "archive",
        or_(Artifact.expire_at.is_(None), Artifact.expire_at > core.now()),
    )
    return query.order_by(Job.id.desc())
