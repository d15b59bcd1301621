"""How a project runs its pipelines: the settings that its maintainers change beside its CI variables."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in
from app.domain.permissions import Action
from app.edge import core
from app.services.projects.change_project import change_project


@pages.post("/<project:path>/-/settings/pipelines")
def save_pipeline_settings(path: str) -> ResponseReturnValue:
    user = signed_in()
    project = open_project(path, Action.ADMIN_PROJECT)
    values = {"auto_cancel_pending_pipelines": "auto_cancel_pending_pipelines" in request.form}
    changed = change_project(core(), project, user, values)
    flash("The settings are saved.", "done")
    return redirect(url_for("pages.variables", path=changed.full_path), 303)
