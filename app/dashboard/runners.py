"""Runners: of the installation for administrators, of a group for its owners, of a project for its maintainers."""

from typing import Any

from flask import flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.dashboard.error_pages import sentence
from app.dashboard.homes import Home, Homes
from app.domain.errors import InvalidRequest, NotFound
from app.domain.permissions import Action
from app.http.edge import core
from app.models import Group, Project, Runner
from app.services.runners.create_runner import create_runner
from app.services.runners.manage_runner import change_runner, remove_runner
from app.services.runners.search_runners import find_runner
from app.services.runners.show_runners import show_runners

_TYPES = {"project": "project_type", "group": "group_type", "admin": "instance_type"}
_homes = Homes(
    "runners",
    Action.ADMIN_RUNNERS,
    project="/<project:path>/-/runners",
    group="/-/groups/<namespace:path>/-/runners",
    admin="/-/admin/runners",
)


def belongs(runner: Runner, place: Project | Group | None) -> bool:
    """Whether `place` may change `runner`: its own do, and the installation any."""
    if place is None:
        return True
    return place.id == (runner.project_id if isinstance(place, Project) else runner.group_id)


def _page(home: Home, fresh: str | None = None, error: tuple[str, str] | None = None) -> str:
    rows = [(row, belongs(row.runner, home.place)) for row in show_runners(core(), home.place)]
    return render_template("runners/list.html", rows=rows, fresh=fresh, error=error, **home.shown())


@_homes.get()
def runners(home: Home) -> ResponseReturnValue:
    return _page(home)


@_homes.post()
def make_runner(home: Home) -> ResponseReturnValue:
    form = request.form
    owner: dict[str, Any] = {home.kind: home.place} if home.place else {}
    try:
        _, plain = create_runner(
            core(),
            description=form.get("description", "").strip()[:1024],
            tags=form.get("tags", "").split(","),
            run_untagged="run_untagged" in form,
            access_level="ref_protected" if "protected" in form else "not_protected",
            runner_type=_TYPES[home.kind],
            creator=home.user,
            **owner,
        )
    except InvalidRequest as error:
        return _page(home, error=(error.field or "tags", sentence(error))), 422
    response = make_response(_page(home, fresh=plain), 201)
    response.headers["Cache-Control"] = "no-store"
    return response


@_homes.post("/<key:runner_id>/<any(pause, resume, remove):verb>")
def change_one_runner(home: Home, runner_id: int, verb: str) -> ResponseReturnValue:
    runner = find_runner(core(), runner_id)
    if not belongs(runner, home.place):
        raise NotFound("Runner")
    if verb == "remove":
        remove_runner(core(), runner)
        flash("The runner is removed: its token opens nothing any more.", "done")
    else:
        change_runner(core(), runner, {"paused": verb == "pause"})
        flash("The runner gets no new jobs." if verb == "pause" else "The runner takes jobs again.", "done")
    return redirect(home.address, 303)
