"""Jobs: lists, one job, its log."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.callers import Kind as CallerKind
from app.api.gitlab_v4.downloads import send_trace
from app.api.gitlab_v4.endpoint import READERS, READERS_AND_JOBS, USERS_AND_JOBS, Call, Routes
from app.api.gitlab_v4.entities import jobs as entities
from app.api.gitlab_v4.entities.bridges import bridges
from app.api.gitlab_v4.errors import message
from app.api.gitlab_v4.pagination import KEYSET, PAGED, by_key, by_number, wants_keyset
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action
from app.domain.status import AVAILABLE
from app.models import Job
from app.services import access
from app.services.jobs import list_jobs, read_trace
from app.services.pipelines import search_pipelines

routes = Routes()
SCOPE = Param("scope", Kind.LIST, values=AVAILABLE, default=(), help="Only jobs with one of these statuses")
RETRIED = Param("include_retried", Kind.BOOLEAN, default=False, help="Also jobs that were run again since")
ORDER = Param("order_by", values=("id",), default="id")
SORT = Param("sort", values=("asc", "desc"), default="desc")


def _render(call: Call) -> Any:
    return lambda rows: entities.jobs(call.core, rows)


@routes.get("/projects/<id>/jobs", params=(SCOPE, ORDER, SORT, *PAGED, *KEYSET), callers=READERS)
def list_project_jobs(call: Call) -> Response:
    """List a project's jobs, newest first. Nobody counts them: there are no totals."""
    project = call.project(Action.READ_JOB)
    query = list_jobs.project_jobs(project, call.params["scope"])
    if wants_keyset(call, f"{call.params['order_by']} {call.params['sort']}", ("id desc",)):
        return by_key(call, query, _render(call), Job.id)
    return by_number(call, query, _render(call), counted=False)


@routes.get(
    "/projects/<id>/pipelines/<pipeline_id>/jobs",
    "/projects/<id>/pipeline/<pipeline_id>/jobs",
    params=(SCOPE, RETRIED, *PAGED),
    callers=READERS_AND_JOBS,
)
def list_pipeline_jobs(call: Call) -> Response:
    """List a pipeline's jobs, newest first."""
    project = call.project(Action.READ_JOB)
    pipeline = search_pipelines.find_pipeline(call.core, project, call.params["pipeline_id"])
    query = list_jobs.pipeline_jobs(pipeline, call.params["scope"], call.params["include_retried"])
    return by_number(call, query, _render(call))


@routes.get(
    "/projects/<id>/pipelines/<pipeline_id>/bridges",
    "/projects/<id>/pipelines/<pipeline_id>/trigger_jobs",
    params=(SCOPE, *PAGED),
    callers=READERS_AND_JOBS,
)
def list_trigger_jobs(call: Call) -> Response:
    """List the jobs of a pipeline that start other pipelines."""
    project = call.project(Action.READ_JOB)
    pipeline = search_pipelines.find_pipeline(call.core, project, call.params["pipeline_id"])
    query = list_jobs.trigger_jobs(pipeline, call.params["scope"])
    return by_number(call, query, lambda rows: bridges(call.core, rows, call.user))


@routes.get("/projects/<id>/jobs/<job_id>", callers=READERS)
def get_job(call: Call) -> dict[str, Any]:
    """Get one job"""
    project = call.project(Action.READ_JOB)
    return entities.job(call.core, list_jobs.find_job(call.core, project, call.params["job_id"]))


@routes.get("/projects/<id>/jobs/<job_id>/trace", callers=READERS)
def get_job_trace(call: Call) -> Response:
    """Get a job's log, byte for byte"""
    project = call.project(Action.READ_TRACE)
    job = list_jobs.find_job(call.core, project, call.params["job_id"])
    read_trace.require_trace(call.core, job, call.user)
    return send_trace(call, job)


def _own_job(call: Call) -> Job:
    if call.caller.kind is not CallerKind.JOB or call.caller.job is None:
        raise message(404, "404 Job Not Found")
    return call.caller.job


@routes.get("/job", callers=USERS_AND_JOBS)
def get_own_job(call: Call) -> dict[str, Any]:
    """Get the job whose token is used"""
    job = _own_job(call)
    return entities.job(call.core, list_jobs.find_job(call.core, job.project, job.id))


@routes.get("/job/allowed_agents", callers=USERS_AND_JOBS)
def get_allowed_agents(call: Call) -> dict[str, Any]:
    """Get which Kubernetes agents the job whose token is used may use: there are none here"""
    job, user = _own_job(call), call.user
    groups = [{"id": group_id} for group_id in access.group_chain(call.core, job.project.group)]
    return {
        "allowed_agents": [],
        "job": {"id": job.id},
        "pipeline": {"id": job.pipeline_id},
        "project": {"id": job.project_id, "groups": groups},
        "user": user and {"id": user.id, "username": user.username},
    }
