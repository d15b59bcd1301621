"""A project's CI variables. Values are shown only when asked for, one at a time, and never cached."""

from typing import Any

from flask import flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in
from app.domain.errors import AlreadyExists, InvalidRequest, NotFound
from app.domain.permissions import Action
from app.edge import core
from app.models import CiVariable, Project
from app.services.projects.ci_variables import (
    SETTINGS,
    add_variable,
    change_variable,
    project_variables,
    remove_variable,
    value_of,
)

_FLAGS = ("protected", "masked", "raw", "file")
_NOT_MASKABLE = (
    "This value cannot be masked: it needs 8 or more characters on one line without spaces, "
    "and unless it is raw only letters, digits and _ - + / = @ : . ~"
)


def _project(path: str) -> Project:
    signed_in()
    g.section = "settings"
    return open_project(path, Action.ADMIN_VARIABLES)


def _find(project: Project, variable_id: int) -> CiVariable:
    variable = core().session.get(CiVariable, variable_id)
    if variable is None or variable.project_id != project.id:
        raise NotFound("Variable")
    return variable


@pages.get("/<project:path>/-/settings/ci_cd")
def variables(path: str) -> ResponseReturnValue:
    return _list_page(_project(path), {"key": "", **SETTINGS})


@pages.post("/<project:path>/-/settings/ci_cd")
def create_variable(path: str) -> ResponseReturnValue:
    project, key = _project(path), request.form.get("key", "").strip()
    settings = _settings()
    try:
        add_variable(core(), project, key, _value(), settings)
    except (InvalidRequest, AlreadyExists) as error:
        return _list_page(project, {"key": key, **settings}, _explain(error, settings)), 422
    flash(f"{key} is added.", "done")
    return redirect(url_for("pages.variables", path=project.full_path), 303)


@pages.get("/<project:path>/-/settings/ci_cd/<key:variable_id>")
def variable(path: str, variable_id: int) -> ResponseReturnValue:
    project = _project(path)
    return _page(project, _find(project, variable_id))


@pages.post("/<project:path>/-/settings/ci_cd/<key:variable_id>")
def save_variable(path: str, variable_id: int) -> ResponseReturnValue:
    project, settings = _project(path), _settings()
    found = _find(project, variable_id)
    if found.hidden:
        settings |= {"hidden": True, "masked": True}
    try:
        change_variable(core(), found, _value() if "value" in request.form else None, settings)
    except (InvalidRequest, AlreadyExists) as error:
        shown = _value() if "value" in request.form else None
        return _page(project, found, settings, _explain(error, settings), shown), 422
    flash(f"{found.key} is changed.", "done")
    return redirect(url_for("pages.variables", path=project.full_path), 303)


@pages.post("/<project:path>/-/settings/ci_cd/<key:variable_id>/reveal")
def reveal_variable(path: str, variable_id: int) -> ResponseReturnValue:
    project = _project(path)
    found = _find(project, variable_id)
    response = make_response(_page(project, found, shown=None if found.hidden else value_of(core(), found)))
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.post("/<project:path>/-/settings/ci_cd/<key:variable_id>/remove")
def delete_variable(path: str, variable_id: int) -> ResponseReturnValue:
    project = _project(path)
    found = _find(project, variable_id)
    key = found.key
    remove_variable(core(), found)
    flash(f"{key} is removed.", "done")
    return redirect(url_for("pages.variables", path=project.full_path), 303)


def _settings() -> dict[str, Any]:
    form = request.form
    texts = {
        "description": form.get("description", "").strip() or None,
        "environment_scope": form.get("environment_scope", "").strip() or "*",
    }
    return texts | {name: name in form for name in _FLAGS}


def _value() -> str:
    """A browser sends the lines of a text field with CR LF; a key file or a certificate has none."""
    return request.form.get("value", "").replace("\r\n", "\n")


def _explain(error: InvalidRequest | AlreadyExists, settings: dict[str, Any]) -> tuple[str, str]:
    """(field, sentence) for the form."""
    field = error.field or "key"
    if isinstance(error, AlreadyExists):
        return "key", "There is a variable of this key for this environment already."
    if field == "value" and settings["masked"] and "long" not in str(error):
        return "value", _NOT_MASKABLE
    return field, f"{field.replace('_', ' ').capitalize()} {str(error).rstrip('.')}."


def _list_page(project: Project, values: dict[str, Any], error: tuple[str, str] | None = None) -> str:
    found = core().session.scalars(project_variables(project)).all()
    return render_template("settings/variables.html", project=project, variables=found, values=values, error=error)


def _page(
    project: Project,
    found: CiVariable,
    settings: dict[str, Any] | None = None,
    error: tuple[str, str] | None = None,
    shown: str | None = None,
) -> str:
    values = settings or {name: getattr(found, name) for name in SETTINGS}
    return render_template(
        "settings/variable.html", project=project, variable=found, values=values, error=error, shown=shown
    )
