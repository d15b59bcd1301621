"""What people do to pipelines: cancel, retry, delete."""

from typing import Any

from app.api.gitlab_v4.endpoint import USERS_AND_JOBS, Call, Routes
from app.api.gitlab_v4.entities import pipelines as entities
from app.api.gitlab_v4.errors import forbidden
from app.api.gitlab_v4.params import Param
from app.api.gitlab_v4.preconditions import require_unmodified
from app.domain.permissions import Action
from app.models import Pipeline
from app.services.pipelines import search_pipelines
from app.services.pipelines.cancel_pipeline import cancel_pipeline
from app.services.pipelines.delete_pipeline import delete_pipeline
from app.services.pipelines.rename_pipeline import rename_pipeline
from app.services.pipelines.retry_pipeline import retry_pipeline

routes = Routes()


def _pipeline(call: Call) -> Pipeline:
    """The pipeline, of a project whose pipelines the caller may see. Services say what they may do to it."""
    project = call.project(Action.READ_PIPELINE)
    return search_pipelines.find_pipeline(call.core, project, call.params["pipeline_id"])


def _shown(call: Call, pipeline: Pipeline) -> dict[str, Any]:
    return entities.pipeline(call.core, search_pipelines.find_pipeline(call.core, pipeline.project, pipeline.id))


@routes.post("/projects/<id>/pipelines/<pipeline_id>/cancel", status=200)
def cancel_whole_pipeline(call: Call) -> dict[str, Any]:
    """Cancel all jobs of a pipeline"""
    return _shown(call, cancel_pipeline(call.core, _pipeline(call), call.user))


@routes.post("/projects/<id>/pipelines/<pipeline_id>/retry")
def retry_whole_pipeline(call: Call) -> dict[str, Any]:
    """Run again what failed or was canceled in a pipeline"""
    return _shown(call, retry_pipeline(call.core, _pipeline(call), call.user))


@routes.put(
    "/projects/<id>/pipelines/<pipeline_id>/metadata", params=(Param("name", required=True),), callers=USERS_AND_JOBS
)
def update_pipeline_metadata(call: Call) -> dict[str, Any]:
    """Give a pipeline another name"""
    pipeline = _pipeline(call)
    if call.caller.job is not None and call.caller.job.project_id != pipeline.project_id:
        raise forbidden()  # a job's token writes in its own project alone
    return _shown(call, rename_pipeline(call.core, pipeline, call.user, call.params["name"]))


@routes.delete("/projects/<id>/pipelines/<pipeline_id>")
def delete_whole_pipeline(call: Call) -> None:
    """Delete a pipeline with its jobs, logs and artifacts"""
    pipeline = _pipeline(call)
    require_unmodified(pipeline.updated_at)
    delete_pipeline(call.core, pipeline, call.user)
