"""What people do to jobs: cancel, run again, start, erase."""

from typing import Any

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities import jobs as entities
from app.api.gitlab_v4.entities.bridges import bridges
from app.api.gitlab_v4.errors import BadParams
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action
from app.domain.plan import Variable
from app.domain.variables import valid_key
from app.models import Job
from app.services.artifacts.keep_artifacts import keep_artifacts
from app.services.jobs import list_jobs
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.erase_job import erase_job
from app.services.jobs.play_job import play_job
from app.services.jobs.retry_job import retry_job

routes = Routes()
VARIABLES = Param(
    "job_variables_attributes",
    Kind.OBJECTS,
    default=(),
    fields=(Param("key", required=True), Param("value", required=True)),
    help="Variables of this run of the job, on top of its own",
)
JOB_INPUTS = Param("job_inputs", Kind.VALUES, default={}, help="Values of the job's inputs")


def _job(call: Call) -> Job:
    """The job, of a project whose jobs the caller may see. Services say what they may do to it."""
    project = call.project(Action.READ_JOB)
    return list_jobs.find_job(call.core, project, call.params["job_id"], bridges=True)


def _variables(call: Call) -> list[Variable]:
    """What VARIABLES ask for."""
    given = call.params["job_variables_attributes"]
    for index, item in enumerate(given):
        if not valid_key(item["key"]):
            raise BadParams(f"job_variables_attributes[{index}][key] is invalid")
    return [Variable(item["key"], item["value"], public=False) for item in given]


def _shown(call: Call, job: Job) -> dict[str, Any]:
    fresh = list_jobs.find_job(call.core, job.project, job.id, bridges=True)
    return bridges(call.core, [fresh], call.user)[0] if fresh.bridge else entities.job(call.core, fresh)


@routes.post(
    "/projects/<id>/jobs/<job_id>/cancel",
    params=(Param("force", Kind.BOOLEAN, default=False, help="Do not wait for the runner to stop it"),),
)
def cancel(call: Call) -> dict[str, Any]:
    """Cancel a job. Nothing happens to one that has ended."""
    return _shown(call, cancel_job(call.core, _job(call), call.user, force=call.params["force"]))


@routes.post(
    "/projects/<id>/jobs/<job_id>/retry",
    params=(VARIABLES, JOB_INPUTS, Param("inputs", Kind.VALUES, default={}, help="Another name of `job_inputs`")),
)
def retry(call: Call) -> dict[str, Any]:
    """Run a job again, as a new job"""
    inputs = {**call.params["inputs"], **call.params["job_inputs"]}
    return _shown(call, retry_job(call.core, _job(call), call.user, _variables(call), inputs))


@routes.post("/projects/<id>/jobs/<job_id>/erase")
def erase(call: Call) -> dict[str, Any]:
    """Erase a job's log and artifacts"""
    return _shown(call, erase_job(call.core, _job(call), call.user))


@routes.post("/projects/<id>/jobs/<job_id>/play", params=(VARIABLES, JOB_INPUTS), status=200)
def play(call: Call) -> dict[str, Any]:
    """Start a job that waits for a person or for its time"""
    inputs = call.params["job_inputs"]
    return _shown(call, play_job(call.core, _job(call), call.user, _variables(call), inputs))


@routes.post("/projects/<id>/jobs/<job_id>/artifacts/keep", status=200)
def keep(call: Call) -> dict[str, Any]:
    """Keep a job's artifacts for good, whatever their expiry said"""
    return _shown(call, keep_artifacts(call.core, _job(call), call.user))
