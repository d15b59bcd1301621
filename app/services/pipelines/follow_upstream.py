"""A job with `needs: {pipeline: project}` ends as that project's newest pipeline does (gitlab.md C.6)."""

from app.domain import failure, status
from app.domain.errors import SkerryError
from app.domain.permissions import Action
from app.domain.variables import expand
from app.models import Job, Pipeline, write
from app.services import access
from app.services.core import Core
from app.services.jobs.finish_job import finish
from app.services.jobs.queue import update_jobs
from app.services.locks import lock_job
from app.services.pipelines.bridge_variables import values_of
from app.services.pipelines.downstream_request import Refused, project_at, trigger_of
from app.services.pipelines.search_pipelines import latest_pipeline


def follow_upstream(core: Core, job: Job, *, starts: bool) -> bool:
    """Look how the newest pipeline of the upstream project's default branch stands. Until it has ended, `job` waits.

    True where it succeeded and the job `starts` a pipeline of its own now; else the job ends as it did.
    """
    job_id = job.id
    try:
        upstream = _upstream(core, job)
    except Refused as refused:
        _finish(core, job_id, status.FAILED, refused.reason, str(refused))
        return False
    except SkerryError as error:
        _finish(core, job_id, status.FAILED, failure.UPSTREAM_BRIDGE_PROJECT_NOT_FOUND, str(error))
        return False
    if starts and upstream is not None and upstream.status == status.SUCCESS:
        return True
    if upstream is not None and upstream.status in status.COMPLETED:
        said = f"Pipeline #{upstream.id} of {upstream.project.full_path}: {upstream.status}."
        _finish(core, job_id, upstream.status, failure.UNKNOWN_FAILURE, said)
        return False
    _explain(core, job, upstream)
    return False


def _explain(core: Core, job: Job, upstream: Pipeline | None) -> None:
    """Write down what `job` waits for, where that changed."""
    job_id = job.id
    reason = "The upstream project has no pipeline yet."
    if upstream is not None:
        reason = f"Waits for pipeline #{upstream.id} of {upstream.project.full_path} to end."
    if reason != job.waiting_reason:
        with write(core.session):
            if lock_job(core, job_id).status == status.PENDING:
                update_jobs(core, [{"id": job_id, "waiting_reason": reason, "updated_at": core.now()}])


def _upstream(core: Core, job: Job) -> Pipeline | None:
    path = expand(trigger_of(job).upstream or "", values_of(core, job)).strip()
    project = project_at(core, job, path, failure.UPSTREAM_BRIDGE_PROJECT_NOT_FOUND)
    if not access.may(core, Action.READ_PIPELINE, job.user, project):
        raise Refused(failure.INSUFFICIENT_UPSTREAM_PERMISSIONS)
    return latest_pipeline(core, project)


def _finish(core: Core, job_id: int, new_status: str, reason: str, message: str) -> None:
    with write(core.session):
        job = lock_job(core, job_id)
        if job.status == status.PENDING:
            job.started_at = job.heard_at = core.now()
            finish(core, job, new_status, reason, message=message)
