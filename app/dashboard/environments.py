"""A project's environments: what is deployed where, and how to stop it."""

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in, visitor
from app.dashboard.routing import key_argument
from app.domain.permissions import Action
from app.http.edge import core
from app.services.environments.deployments import last_deployments
from app.services.environments.find_environments import find_environment, project_environments
from app.services.environments.stop_environment import stop_environment

PER_PAGE = 50


@pages.get("/<project:path>/-/environments")
def environments(path: str) -> ResponseReturnValue:
    """Those that are not stopped, or with `?stopped=1` the others; `?page=` counts from 1."""
    project = open_project(path, Action.READ_ENVIRONMENTS)
    g.section = "environments"
    stopped, page = request.args.get("stopped") == "1", key_argument("page") or 1
    states = ("stopped",) if stopped else ("available", "stopping")
    query = project_environments(project, states=states).limit(PER_PAGE + 1).offset((min(page, 10**6) - 1) * PER_PAGE)
    rows = core().session.scalars(query).all()
    last = last_deployments(core(), [row.id for row in rows[:PER_PAGE]])
    return render_template(
        "environments/list.html",
        project=project,
        environments=rows[:PER_PAGE],
        last=last,
        stopped=stopped,
        page=page,
        more=len(rows) > PER_PAGE,
    )


@pages.post("/<project:path>/-/environments/<key:environment_id>/stop")
def stop_one_environment(path: str, environment_id: int) -> ResponseReturnValue:
    signed_in()
    project = open_project(path, Action.STOP_ENVIRONMENT)
    found = stop_environment(core(), find_environment(core(), project, environment_id), visitor())
    done = "is stopped" if found.state == "stopped" else "is being stopped"
    flash(f"{found.name} {done}.", "done")
    return redirect(url_for("pages.environments", path=project.full_path), 303)
