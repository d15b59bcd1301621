"""The badge of a project, and what to paste into a README to show it."""

from urllib.parse import quote

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in
from app.domain.permissions import Action
from app.http.edge import core
from app.services.pipelines.predefined import web_url


@pages.get("/<project:path>/-/settings/badges")
def badges(path: str) -> ResponseReturnValue:
    signed_in()
    g.section = "settings"
    project = open_project(path, Action.ADMIN_PROJECT)
    branch = request.args.get("branch", "").strip() or project.default_branch
    picture = f"/status/{project.badge_key}/m/{quote(branch)}"
    target = f"{web_url(core(), project)}/-/pipelines?ref={quote(branch, safe='')}"
    return render_template("settings/badges.html", project=project, branch=branch, picture=picture, target=target)
