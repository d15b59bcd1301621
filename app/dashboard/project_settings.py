"""A project's general settings: what it is called, who sees it, how its pipelines run, where it is mirrored from,
and its end.
"""

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in
from app.dashboard.error_pages import sentence
from app.dashboard.redirects import safe_next
from app.domain.errors import AlreadyExists, InvalidRequest
from app.domain.permissions import Action
from app.http.edge import core
from app.models import Project, User
from app.services.projects.change_project import SETTINGS, change_project
from app.services.projects.delete_project import delete_project
from app.services.projects.groups import owns
from app.services.repositories.change_mirror import change_mirror, mirror_origin
from app.services.repositories.request_fetch import fetch_state, request_fetch

_ABOUT = ("name", "description", "path", "visibility")
_TEXTS = ("default_branch", "config_path", "git_strategy", "variables_role")
_FLAGS = ("auto_cancel_pending_pipelines", "public_jobs", "instance_runners")
_MINUTE = 60


def _open(path: str, action: Action = Action.ADMIN_PROJECT) -> tuple[Project, User]:
    user = signed_in()
    g.section = "settings"
    return open_project(path, action), user


def _page(project: Project, given: dict[str, Any] | None = None, error: tuple[str, str] | None = None) -> str:
    values = {name: getattr(project, name) for name in SETTINGS} | {"build_timeout": project.build_timeout // _MINUTE}
    origin = mirror_origin(core(), project)
    owns_group = owns(core(), signed_in(), project.group)
    return render_template(
        "settings/general.html",
        project=project,
        values=values | (given or {}),
        mirror=origin,
        fetching=fetch_state(core(), project) if origin else None,
        owns_group=owns_group,
        error=error,
    )


def _back(project: Project) -> ResponseReturnValue:
    return redirect(url_for("pages.general_settings", path=project.full_path), 303)


@pages.get("/<project:path>/-/settings")
def general_settings(path: str) -> ResponseReturnValue:
    project, _ = _open(path)
    return _page(project)


def _save(project: Project, user: User, shown: dict[str, Any], values: dict[str, Any]) -> ResponseReturnValue:
    """Save what differs from what is there; `shown` comes back beside what was wrong."""
    before = {name: getattr(project, name) for name in values}
    different = {name: value for name, value in values.items() if value != before[name]}
    try:
        changed = change_project(core(), project, user, different)
    except (InvalidRequest, AlreadyExists) as error:
        field = "default_branch" if error.field == "base" else error.field or ""
        return _page(project, shown, (field, sentence(error))), 422
    flash("The settings are saved.", "done")
    return _back(changed)


@pages.post("/<project:path>/-/settings")
def save_general_settings(path: str) -> ResponseReturnValue:
    """What the form leaves out stays as it is: a maintainer's form has neither path nor visibility."""
    project, user = _open(path)
    values = {name: request.form[name].strip() for name in _ABOUT if name in request.form}
    return _save(project, user, dict(values), values)


@pages.post("/<project:path>/-/settings/pipelines")
def save_pipeline_settings(path: str) -> ResponseReturnValue:
    project, user = _open(path)
    form = request.form
    values: dict[str, Any] = {name: form[name].strip() for name in _TEXTS if name in form}
    values |= {name: name in form for name in _FLAGS}
    if "config_path" in values:
        values["config_path"] = values["config_path"] or ".gitlab-ci.yml"
    shown = values | {name: form[name] for name in ("build_timeout", "git_depth") if name in form}
    try:
        values |= _numbers()
    except InvalidRequest as error:
        return _page(project, shown, (error.field or "", sentence(error))), 422
    return _save(project, user, shown, values)


def _numbers() -> dict[str, int]:
    """The numbers of the form, a timeout in seconds. Raises InvalidRequest."""
    found = {}
    for name, unit in (("build_timeout", _MINUTE), ("git_depth", 1)):
        text = request.form.get(name, "").strip()
        if not text:
            continue
        if not text.isascii() or not text.isdigit() or len(text) > 6:
            raise InvalidRequest("must be a whole number", name)
        found[name] = int(text) * unit
    return found


@pages.post("/<project:path>/-/settings/mirror")
def change_project_mirror(path: str) -> ResponseReturnValue:
    """What was typed does not come back: it may hold a password."""
    project, user = _open(path)
    try:
        change_mirror(core(), project, user, request.form.get("mirror_url", ""))
    except InvalidRequest as error:
        return _page(project, None, ("mirror_url", sentence(error))), 422
    flash("The mirror's address is changed.", "done")
    return _back(project)


@pages.post("/<project:path>/-/settings/mirror/fetch")
def fetch_project_mirror(path: str) -> ResponseReturnValue:
    """Have it fetched; how that goes is kept on the project, and shown there. `next`: the page to go on to."""
    project, user = _open(path)
    after = safe_next(request.form.get("next"), url_for("pages.general_settings", path=project.full_path))
    request_fetch(core(), project, user)
    flash("The mirror is being fetched. This page says how that went.", "done")
    return redirect(after, 303)


@pages.post("/<project:path>/-/settings/archive", defaults={"archived": True})
@pages.post("/<project:path>/-/settings/unarchive", defaults={"archived": False})
def archive_project(path: str, archived: bool) -> ResponseReturnValue:
    project, user = _open(path, Action.DESTROY_PROJECT)
    changed = change_project(core(), project, user, {"archived": archived})
    flash("The project is archived." if changed.archived else "The project is in use again.", "done")
    return _back(changed)


@pages.post("/<project:path>/-/settings/delete")
def remove_project(path: str) -> ResponseReturnValue:
    """Only for who typed the project's whole path."""
    project, user = _open(path, Action.DESTROY_PROJECT)
    full_path = project.full_path
    if request.form.get("confirmation", "").strip() != full_path:
        return _page(project, None, ("confirmation", f"Type {full_path}, exactly so.")), 422
    delete_project(core(), project, user)
    flash(f"{full_path} is deleted.", "done")
    return redirect(url_for("pages.projects"), 303)
