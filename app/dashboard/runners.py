"""Runners: of the instance for the administrator, of a project for its maintainers."""

from flask import flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import administrator, open_project, signed_in
from app.dashboard.error_pages import sentence
from app.domain.errors import InvalidRequest, NotFound
from app.domain.permissions import Action
from app.edge import core
from app.models import Project, User
from app.services.runners.create_runner import create_runner
from app.services.runners.manage_runner import change_runner, remove_runner
from app.services.runners.search_runners import find_runner
from app.services.runners.show_runners import show_runners


def _page(project: Project | None, fresh: str | None = None, error: tuple[str, str] | None = None) -> str:
    g.section = "settings"
    rows = show_runners(core(), project)
    return render_template("runners/list.html", project=project, rows=rows, fresh=fresh, error=error)


def _project(path: str) -> Project:
    signed_in()
    return open_project(path, Action.ADMIN_RUNNERS)


def _create(project: Project | None, user: User) -> ResponseReturnValue:
    form = request.form
    try:
        _, plain = create_runner(
            core(),
            description=form.get("description", "").strip()[:1024],
            tags=form.get("tags", "").split(","),
            run_untagged="run_untagged" in form,
            access_level="ref_protected" if "protected" in form else "not_protected",
            runner_type="project_type" if project else "instance_type",
            project=project,
            creator=user,
        )
    except InvalidRequest as error:
        return _page(project, error=(error.field or "tags", sentence(error))), 422
    response = make_response(_page(project, fresh=plain), 201)
    response.headers["Cache-Control"] = "no-store"
    return response


def _change(project: Project | None, runner_id: int, verb: str) -> None:
    runner = find_runner(core(), runner_id)
    if project is not None and runner.project_id != project.id:
        raise NotFound("Runner")
    if verb == "remove":
        remove_runner(core(), runner)
        flash("The runner is removed: its token opens nothing any more.", "done")
    else:
        change_runner(core(), runner, {"paused": verb == "pause"})
        flash("The runner gets no new jobs." if verb == "pause" else "The runner takes jobs again.", "done")


@pages.get("/-/admin/runners")
def admin_runners() -> ResponseReturnValue:
    administrator()
    return _page(None)


@pages.post("/-/admin/runners")
def make_admin_runner() -> ResponseReturnValue:
    return _create(None, administrator())


@pages.post("/-/admin/runners/<key:runner_id>/<any(pause, resume, remove):verb>")
def change_admin_runner(runner_id: int, verb: str) -> ResponseReturnValue:
    administrator()
    _change(None, runner_id, verb)
    return redirect(url_for("pages.admin_runners"), 303)


@pages.get("/<project:path>/-/runners")
def project_runners(path: str) -> ResponseReturnValue:
    return _page(_project(path))


@pages.post("/<project:path>/-/runners")
def make_project_runner(path: str) -> ResponseReturnValue:
    user = signed_in()
    return _create(_project(path), user)


@pages.post("/<project:path>/-/runners/<key:runner_id>/<any(pause, resume, remove):verb>")
def change_project_runner(path: str, runner_id: int, verb: str) -> ResponseReturnValue:
    project = _project(path)
    _change(project, runner_id, verb)
    return redirect(url_for("pages.project_runners", path=project.full_path), 303)
