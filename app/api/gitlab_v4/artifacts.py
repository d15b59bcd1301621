"""Artifacts: archives, single files of them, by job or by ref."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.downloads import send_archive, send_member
from app.api.gitlab_v4.endpoint import READERS_AND_JOBS, Call, Routes
from app.api.gitlab_v4.pagination import PAGED, of_list
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action
from app.models import Artifact
from app.services.artifacts import artifact_access, delete_artifacts, find_archive, latest_artifacts, read_artifact
from app.services.artifacts.artifact_tree import TreeEntry, list_tree
from app.services.jobs import list_jobs

routes = Routes()
LATEST = (
    Param("job", required=True, blank=False, help="The job's name"),
    Param(
        "search_recent_successful_pipelines",
        Kind.BOOLEAN,
        default=False,
        help="Look further back, where the newest successful pipeline has no such artifacts",
    ),
)


def _archive(call: Call) -> Artifact:
    """That of the job of `:job_id`, which shows it to the caller."""
    project, user = call.project_and_user(Action.READ_ARTIFACTS)
    return find_archive.find_archive(call.core, project, call.params["job_id"], user)


def _latest(call: Call) -> Artifact:
    """That of the newest job that the parameters mean, which shows it to the caller."""
    project, user = call.project_and_user(Action.READ_ARTIFACTS)
    params, further = call.params, call.params["search_recent_successful_pipelines"]
    job = latest_artifacts.latest_job(call.core, project, params["ref_name"], params["job"], further)
    artifact_access.require_fetch(call.core, job, user)
    return read_artifact.require_archive(call.core, job)


@routes.get("/projects/<id>/jobs/<job_id>/artifacts", callers=READERS_AND_JOBS)
def get_artifacts(call: Call) -> Response:
    """Download a job's archive"""
    return send_archive(call, _archive(call))


@routes.get(
    "/projects/<id>/jobs/<job_id>/artifacts/tree",
    params=(
        Param("path", default="", help="A folder of the archive; its top when missing"),
        Param("recursive", Kind.BOOLEAN, default=False, help="What lies in the folders there, too"),
        *PAGED,
    ),
    callers=READERS_AND_JOBS,
)
def list_artifact_tree(call: Call) -> Response:
    """List what lies in a job's archive"""
    found = list_tree(call.core, _archive(call), call.params["path"], call.params["recursive"])
    return of_list(call, found, lambda rows: [_entry(row) for row in rows])


def _entry(row: TreeEntry) -> dict[str, Any]:
    kind = "directory" if row.is_folder else "file"
    return {"name": row.name, "path": row.path, "type": kind, "size": row.size, "mode": f"{row.mode:06o}"}


@routes.get("/projects/<id>/jobs/<job_id>/artifacts/<path:artifact_path>", callers=READERS_AND_JOBS)
def get_artifact_file(call: Call) -> Response:
    """Download one file of a job's archive"""
    return send_member(call, _archive(call), call.params["artifact_path"])


@routes.get("/projects/<id>/jobs/artifacts/<path:ref_name>/download", params=LATEST, callers=READERS_AND_JOBS)
def get_latest_artifacts(call: Call) -> Response:
    """Download the archive of a job of the newest successful pipeline of a branch or tag"""
    return send_archive(call, _latest(call))


@routes.get(
    "/projects/<id>/jobs/artifacts/<path:ref_name>/raw/<path:artifact_path>", params=LATEST, callers=READERS_AND_JOBS
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


@routes.delete("/projects/<id>/artifacts", status=202)
def delete_project_artifacts(call: Call) -> dict[str, str]:
    """Delete the artifacts of all jobs of a project that have ended. Their logs stay."""
    project = call.project(Action.ERASE_ANY_JOB)
    delete_artifacts.delete_project_artifacts(call.core, project, call.user)
    return {"message": "202 Accepted"}
