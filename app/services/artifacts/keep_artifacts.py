"""Keep a job's artifacts beyond their expiry."""

from sqlalchemy import update

from app.domain.errors import NotFound
from app.domain.permissions import Action
from app.models import Artifact, Job, PagesSite, User, write
from app.services import access
from app.services.core import Core
from app.services.locks import lock_job_alone


def available(core: Core, artifact: Artifact) -> bool:
    """Whether `artifact` has not expired."""
    return artifact.expire_at is None or artifact.expire_at > core.now()


def keep_artifacts(core: Core, job: Job, user: User | None) -> Job:
    """Artifacts of `job` never expire from now on; return it. Raises NotFound where there is none left to keep."""
    access.require(core, Action.KEEP_ARTIFACTS, user, job.project)
    job_id = job.id
    with write(core.session):
        held = lock_job_alone(core, job_id)
        kept = [artifact for artifact in held.artifacts if available(core, artifact)]
        if not any(artifact.file_type == "archive" for artifact in kept):
            raise NotFound("Artifacts")
        for artifact in kept:
            artifact.expire_at = None
        kept_ids = [artifact.id for artifact in kept]
        served = update(PagesSite).where(PagesSite.artifact_id.in_(kept_ids))
        core.session.execute(served.values(artifact_expire_at=None))
        held.artifacts_expire_at = None
        held.updated_at = core.now()
    return core.session.get_one(Job, job_id)
