"""A running job gets the artifacts of a job that it depends on."""

from app.domain.errors import NotFound
from app.models import Artifact, Job
from app.services.accounts.authenticate import job_by_token
from app.services.core import Core
from app.services.runners import dependencies
from app.services.runners.foreign_needs import may_fetch
from app.services.runners.job_authority import NotProcessing


def fetch_archive(core: Core, job_id: int, token: str) -> Artifact:
    """The archive of job `job_id`, for the running job whose token this is.

    Raises NotProcessing for a token that is not (any more) of a running job, NotFound where that job does not depend
    on this one, or where there is no archive (any more).
    """
    running = job_by_token(core, token)
    if running is None:
        raise NotProcessing
    wanted = core.session.get(Job, job_id)
    if wanted is None:
        raise NotFound("Job")
    foreign = may_fetch(core, running, wanted)
    if not foreign and wanted.pipeline_id not in (running.pipeline_id, running.pipeline.source_pipeline_id):
        raise NotFound("Job")
    depends = foreign or wanted in dependencies.jobs_of(core, running)
    found = dependencies.archives(core, [wanted]) if depends else {}
    if wanted.id not in found:
        raise NotFound("Artifacts")
    return found[wanted.id]
