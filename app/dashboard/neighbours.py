"""From a pipeline or job to the one beside it: what the keys `[` and `]` ask for."""

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project
from app.domain.permissions import Action
from app.http.edge import core
from app.services.jobs.show_job import find_job
from app.services.pipelines.neighbours import next_job, next_pipeline
from app.services.pipelines.show_pipeline import find_pipeline


@pages.get("/<project:path>/-/pipelines/<key:pipeline_id>/previous", defaults={"forward": False})
@pages.get("/<project:path>/-/pipelines/<key:pipeline_id>/next", defaults={"forward": True})
def neighbour_of_pipeline(path: str, pipeline_id: int, forward: bool) -> ResponseReturnValue:
    project = open_project(path, Action.READ_PIPELINE)
    found = next_pipeline(core(), find_pipeline(core(), project, pipeline_id), forward)
    return redirect(url_for("pages.pipeline", path=project.full_path, pipeline_id=found))


@pages.get("/<project:path>/-/jobs/<key:job_id>/previous", defaults={"forward": False})
@pages.get("/<project:path>/-/jobs/<key:job_id>/next", defaults={"forward": True})
def neighbour_of_job(path: str, job_id: int, forward: bool) -> ResponseReturnValue:
    project = open_project(path, Action.READ_JOB)
    found = next_job(core(), find_job(core(), project, job_id), forward)
    return redirect(url_for("pages.job", path=project.full_path, job_id=found))
