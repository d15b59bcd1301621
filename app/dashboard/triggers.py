"""A project's trigger tokens: the list, a new one (shown once, with the command that uses it), taking one back."""

from flask import flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in
from app.dashboard.error_pages import sentence
from app.domain.errors import InvalidRequest
from app.domain.permissions import Action
from app.http.edge import core
from app.models import Project
from app.services.pipelines.triggers import (
    add_trigger,
    find_trigger,
    project_triggers,
    remove_trigger,
    shown_token,
)


def _open(path: str) -> Project:
    signed_in()
    g.section = "settings"
    return open_project(path, Action.ADMIN_TRIGGERS)


def _page(project: Project, fresh: str | None = None, error: tuple[str, str] | None = None) -> str:
    found = core().session.scalars(project_triggers(project)).all()
    rows = [(trigger, shown_token(core(), trigger, None)) for trigger in found]
    return render_template("settings/triggers.html", project=project, triggers=rows, fresh=fresh, error=error)


@pages.get("/<project:path>/-/settings/triggers")
def triggers(path: str) -> ResponseReturnValue:
    return _page(_open(path))


@pages.post("/<project:path>/-/settings/triggers")
def make_trigger(path: str) -> ResponseReturnValue:
    project, user = _open(path), signed_in()
    try:
        made = add_trigger(core(), project, user, request.form.get("description", "").strip())
    except InvalidRequest as error:
        return _page(project, error=(error.field or "description", sentence(error))), 422
    response = make_response(_page(project, fresh=shown_token(core(), made, user)), 201)
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.post("/<project:path>/-/settings/triggers/<key:trigger_id>/revoke")
def revoke_trigger(path: str, trigger_id: int) -> ResponseReturnValue:
    project = _open(path)
    trigger = find_trigger(core(), project, trigger_id)
    description = trigger.description
    remove_trigger(core(), trigger)
    flash(f"The trigger {description} starts nothing any more.", "done")
    return redirect(url_for("pages.triggers", path=project.full_path), 303)
