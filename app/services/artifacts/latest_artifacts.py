"""The artifacts that a ref has to offer right now."""

from sqlalchemy import or_, select

from app.domain import status
from app.domain.errors import NotFound
from app.models import Artifact, Job, Pipeline, Project
from app.services.core import Core
from app.services.jobs.list_jobs import LOADED
from app.services.pipelines.pipeline_links import child_ids
from app.services.pipelines.pipeline_request import MERGE_REQUEST

#: How many successful pipelines are looked at where the newest one does not do.
RECENT = 100


def latest_job(core: Core, project: Project, ref: str, name: str, further: bool = False) -> Job:
    """The job called `name` with a live archive in the newest successful pipeline of `ref`, or in a child of that
    (gitlab.md B.3).

    The job itself need not have passed: one that may fail and uploads all the same counts. `ref` is the short name of a
    branch or tag. `further`: where that pipeline has none, those before it are looked at. Raises NotFound.
    """
    newest = core.session.scalars(
        select(Pipeline.id)
        .where(
            Pipeline.project_id == project.id,
            Pipeline.ref == ref,
            Pipeline.status == status.SUCCESS,
            Pipeline.source.not_in(("parent_pipeline", MERGE_REQUEST)),
        )
        .order_by(Pipeline.id.desc())
        .limit(RECENT if further else 1)
    )
    for pipeline_id in newest.all():
        job = _archived_job(core, pipeline_id, name)
        if job is not None:
            return job
    raise NotFound("")


def _archived_job(core: Core, pipeline_id: int, name: str) -> Job | None:
    return core.session.scalar(
        select(Job)
        .join(Artifact, Artifact.job_id == Job.id)
        .where(
            Job.pipeline_id.in_([pipeline_id, *child_ids(core, [pipeline_id])]),
            Job.name == name,
            Job.retried.is_(False),
            Artifact.file_type == "archive",
            or_(Artifact.expire_at.is_(None), Artifact.expire_at > core.now()),
        )
        .order_by(Job.id.desc())
        .options(*LOADED)
        .limit(1)
    )
