"""What changed since a pipeline's branch was last green: commits, and which error lines are new."""

from flask import g, render_template
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import can, open_project, visitor
from app.domain.permissions import Action
from app.http.edge import core
from app.services.pipelines.show_pipeline import find_pipeline
from app.services.reports.new_errors import new_errors
from app.services.reports.what_changed import what_changed


@pages.get("/<project:path>/-/pipelines/<key:pipeline_id>/changes")
def pipeline_changes(path: str, pipeline_id: int) -> ResponseReturnValue:
    """Commits are shown to those who may read the repository, lines of logs to those who may read these."""
    project = open_project(path, Action.READ_PIPELINE)
    pipeline = find_pipeline(core(), project, pipeline_id)
    g.section = "pipelines"
    return render_template(
        "changes/show.html",
        project=project,
        pipeline=pipeline,
        changes=what_changed(core(), pipeline, with_commits=can(Action.READ_CODE)),
        errors=new_errors(core(), pipeline, visitor()),
    )
