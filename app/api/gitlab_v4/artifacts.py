"""Artifacts: archives, single files of them, by job or by ref."""

from flask import Response

from app.api.gitlab_v4.downloads import send_archive, send_member
from app.api.gitlab_v4.endpoint import READERS_AND_JOBS, Call, Routes
from app.api.gitlab_v4.params import Param
from app.domain.permissions import Action
from app.models import Job
from app.services.artifacts import artifact_access, delete_artifacts, latest_artifacts
from app.services.jobs import list_jobs

routes = Routes()
NAME = Param("job", required=True, blank=False, help="The job's name")


def _job(call: Call) -> Job:
    project = call.project(Action.READ_ARTIFACTS)
    return _shown(call, list_jobs.find_job(call.core, project, call.params["job_id"]))


def _latest(call: Call) -> Job:
    project = call.project(Action.READ_ARTIFACTS)
    return _shown(call, latest_artifacts.latest_job(call.core, project, call.params["ref_name"], call.params["job"]))


def _shown(call: Call, job: Job) -> Job:
    """The job, where it shows its artifacts to the caller."""
    artifact_access.require_fetch(call.core, job, call.user)
    return job


@routes.get("/projects/<id>/jobs/<job_id>/artifacts", callers=READERS_AND_JOBS)
def get_artifacts(call: Call) -> Response:
    """Download a job's archive"""
    return send_archive(call, _job(call))


@routes.get("/projects/<id>/jobs/<job_id>/artifacts/<path:artifact_path>", callers=READERS_AND_JOBS)
def get_artifact_file(call: Call) -> Response:
    """Download one file of a job's archive"""
    return send_member(call, _job(call), call.params["artifact_path"])


@routes.get("/projects/<id>/jobs/artifacts/<path:ref_name>/download", params=(NAME,), callers=READERS_AND_JOBS)
def get_latest_artifacts(call: Call) -> Response:
    """Download the archive of a job of the newest successful pipeline of a branch or tag"""
    return send_archive(call, _latest(call))


@routes.get(
    "/projects/<id>/jobs/artifacts/<path:ref_name>/raw/<path:artifact_path>", params=(NAME,), callers=READERS_AND_JOBS
)
def get_latest_artifact_file(call: Call) -> Response:
    """Download one file of the archive of a job of the newest successful pipeline of a branch or tag"""
    return send_member(call, _latest(call), call.params["artifact_path"])


@routes.delete("/projects/<id>/jobs/<job_id>/artifacts")
def delete_job_artifacts(call: Call) -> None:
    """Delete a job's artifacts. Its log stays."""
    project = call.project(Action.READ_JOB)
    job = list_jobs.find_job(call.core, project, call.params["job_id"])
    delete_artifacts.delete_artifacts(call.core, job, call.user)
