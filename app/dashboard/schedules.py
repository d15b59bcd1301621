"""A project's schedules: who runs what, when, and how it went the last time."""

from dataclasses import dataclass

from flask import flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in
from app.dashboard.error_pages import sentence
from app.dashboard.schedule_form import BLANK, Values, explain, form_of, read_form
from app.domain.errors import AlreadyExists, InvalidConfiguration, InvalidRequest, LimitExceeded
from app.domain.permissions import Action
from app.http.edge import core
from app.models import Pipeline, PipelineSchedule, Project, User
from app.services.pipelines.require_variables import may_give_variables
from app.services.schedules import save_schedule, show_schedules
from app.services.schedules.run_schedules import play_schedule
from app.services.schedules.schedule_ref import split_ref
from app.services.schedules.schedule_rights import may_administer, may_play, may_update, require_update
from app.services.schedules.schedule_variables import replace_variables

_REFUSED = (InvalidRequest, AlreadyExists, LimitExceeded)


@dataclass(frozen=True, slots=True)
class _Row:
    """One schedule of the list, its newest pipeline, and what the visitor may do to it."""

    schedule: PipelineSchedule
    ref: str
    last: Pipeline | None
    may_play: bool
    may_update: bool
    may_take: bool
    may_remove: bool


def _open(path: str, action: Action) -> tuple[Project, User]:
    user = signed_in()
    g.section = "schedules"
    return open_project(path, action), user


def _find(path: str, schedule_id: int) -> tuple[Project, User, PipelineSchedule]:
    project, user = _open(path, Action.READ_SCHEDULES)
    return project, user, show_schedules.find_schedule(core(), project, schedule_id)


@pages.get("/<project:path>/-/pipeline_schedules")
def schedules(path: str) -> ResponseReturnValue:
    project, user = _open(path, Action.READ_SCHEDULES)
    found = core().session.scalars(show_schedules.schedules(project)).all()
    last = show_schedules.last_pipelines(core(), found)
    rows = [_row(schedule, last.get(schedule.id), user) for schedule in found]
    return render_template("schedules/list.html", project=project, rows=rows)


def _row(schedule: PipelineSchedule, last: Pipeline | None, user: User) -> _Row:
    administers = may_administer(core(), user, schedule)
    return _Row(
        schedule,
        split_ref(schedule.ref)[0],
        last,
        may_play=may_play(core(), user, schedule),
        may_update=may_update(core(), user, schedule),
        may_take=administers and schedule.owner_id != user.id,
        may_remove=administers,
    )


@pages.get("/<project:path>/-/pipeline_schedules/new")
def new_schedule(path: str) -> ResponseReturnValue:
    project, user = _open(path, Action.CREATE_SCHEDULE)
    return _page(project, user, None, BLANK | {"ref": project.default_branch})


@pages.post("/<project:path>/-/pipeline_schedules/new")
def create_one_schedule(path: str) -> ResponseReturnValue:
    project, user = _open(path, Action.CREATE_SCHEDULE)
    form = read_form([])
    try:
        form.check()
        made = save_schedule.create_schedule(core(), project, user, form.draft(None))
        if form.variables:
            replace_variables(core(), made, user, form.variables)
    except _REFUSED as error:
        return _page(project, user, None, form.values, explain(error)), 422
    flash(f"{made.description} is scheduled.", "done")
    return _back(project)


@pages.get("/<project:path>/-/pipeline_schedules/<key:schedule_id>/edit")
def schedule(path: str, schedule_id: int) -> ResponseReturnValue:
    project, user, found = _find(path, schedule_id)
    require_update(core(), user, found)
    return _page(project, user, found, form_of(found))


@pages.post("/<project:path>/-/pipeline_schedules/<key:schedule_id>/edit")
def save_one_schedule(path: str, schedule_id: int) -> ResponseReturnValue:
    project, user, found = _find(path, schedule_id)
    require_update(core(), user, found)
    kept = show_schedules.variables_of(core(), found)
    form = read_form(kept)
    try:
        form.check()
        saved = save_schedule.update_schedule(core(), found, user, form.draft(found))
        if may_give_variables(core(), user, project) and form.variables != kept:
            replace_variables(core(), saved, user, form.variables)
    except _REFUSED as error:
        return _page(project, user, found, form.values, explain(error)), 422
    flash(f"{form.values['description']} is changed.", "done")
    return _back(project)


@pages.post("/<project:path>/-/pipeline_schedules/<key:schedule_id>/play")
def play_one_schedule(path: str, schedule_id: int) -> ResponseReturnValue:
    project, user, found = _find(path, schedule_id)
    try:
        made = play_schedule(core(), found, user)
    except (InvalidRequest, InvalidConfiguration) as error:
        flash(sentence(error), "failed")
        return _back(project)
    return redirect(url_for("pages.pipeline", path=project.full_path, pipeline_id=made.id), 303)


@pages.post("/<project:path>/-/pipeline_schedules/<key:schedule_id>/take_ownership")
def take_schedule(path: str, schedule_id: int) -> ResponseReturnValue:
    project, user, found = _find(path, schedule_id)
    description = found.description
    save_schedule.take_ownership(core(), found, user)
    flash(f"{description} runs in your name now.", "done")
    return _back(project)


@pages.post("/<project:path>/-/pipeline_schedules/<key:schedule_id>/remove")
def remove_schedule(path: str, schedule_id: int) -> ResponseReturnValue:
    project, user, found = _find(path, schedule_id)
    description = found.description
    save_schedule.delete_schedule(core(), found, user)
    flash(f"{description} is removed.", "done")
    return _back(project)


def _page(
    project: Project,
    user: User,
    found: PipelineSchedule | None,
    values: Values,
    error: tuple[str, str] | None = None,
) -> str:
    kept = show_schedules.variables_of(core(), found) if found else []
    return render_template(
        "schedules/edit.html",
        project=project,
        schedule=found,
        values=values,
        variables=[(variable.key, "") for variable in kept],
        may_give_variables=may_give_variables(core(), user, project),
        error=error,
    )


def _back(project: Project) -> ResponseReturnValue:
    return redirect(url_for("pages.schedules", path=project.full_path), 303)
