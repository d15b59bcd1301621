"""A job's archive, for somebody who asks for it by the job's number: one statement, whatever else the job has."""

from sqlalchemy import bindparam, select

from app.domain.errors import NotFound
from app.models import Artifact, Job, Project, User
from app.services.artifacts.artifact_access import require_shown
from app.services.artifacts.read_artifact import is_live
from app.services.core import Core

_found = (
    select(Artifact, Job.bridge, Job.plan)
    .select_from(Job)
    .outerjoin(Artifact, (Artifact.job_id == Job.id) & (Artifact.file_type == "archive"))
    .where(Job.id == bindparam("job_id"), Job.project_id == bindparam("project_id"))
    .execution_options(populate_existing=True)
)


def find_archive(core: Core, project: Project, job_id: int, user: User | None) -> Artifact:
    """The archive of the job of that id in `project`, whose artifacts `user` may read.

    Raises NotFound where there is no such job or no archive (any more), NotAllowed where the job does not show it.
    """
    row = core.session.execute(_found, {"job_id": job_id, "project_id": project.id}).first()
    if row is None or row.bridge:
        raise NotFound("Job")
    require_shown(core, row.plan, project, user)
    archive: Artifact | None = row.Artifact
    if archive is None or not is_live(core, archive):
        raise NotFound("")
    return archive
