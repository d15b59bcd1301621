"""The artifacts that a ref has to offer right now."""

from sqlalchemy import or_, select

from app.domain import status
from app.domain.errors import NotFound
from app.models import Artifact, Job, Pipeline, Project
from app.services.core import Core
from app.services.jobs.list_jobs import LOADED
from app.services.pipelines.pipeline_links import child_ids
from app.services.pipelines.pipeline_request import MERGE_REQUEST


def latest_job(core: Core, project: Project, ref: str, name: str) -> Job:
    """The job called `name` with a live archive in the newest successful pipeline of `ref`, or in a child of that
    (gitlab.md B.3).

    The job itself need not have passed: one that may fail and uploads all the same counts. `ref` is the short name of a
    branch or tag. Raises NotFound.
    """
    newest = core.session.scalar(
        select(Pipeline.id)
        .where(
            Pipeline.project_id == project.id,
            Pipeline.ref == ref,
            Pipeline.status == status.SUCCESS,
            Pipeline.source.not_in(("parent_pipeline", MERGE_REQUEST)),
        )
        .order_by(Pipeline.id.desc())
        .limit(1)
    )
    if newest is None:
        raise NotFound("")
    job = core.session.scalar(
        select(Job)
        .join(Artifact, Artifact.job_id == Job.id)
        .where(
            Job.pipeline_id.in_([newest, *child_ids(core, [newest])]),
            Job.name == name,
            Job.retried.is_(False),
            Artifact.file_type == "archive",
            or_(Artifact.expire_at.is_(None), Artifact.expire_at > core.now()),
        )
        .order_by(Job.id.desc())
        .options(*LOADED)
        .limit(1)
    )
    if job is None:
        raise NotFound("")
    return job
