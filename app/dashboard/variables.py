"""A project's CI variables. Values are shown only when asked for, one at a time, and never cached."""

from flask import flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in
from app.dashboard.error_pages import sentence
from app.domain.errors import AlreadyExists, InvalidRequest
from app.domain.permissions import Action
from app.edge import core
from app.models import CiVariable, Project
from app.services.save_variable import (
    VariableValues,
    find_variable,
    list_variables,
    remove_variable,
    save_variable,
    variable_value,
)

_EMPTY = VariableValues(key="", value="")


def _project(path: str) -> Project:
    signed_in()
    g.section = "variables"
    return open_project(path, Action.ADMIN_VARIABLES)


@pages.get("/<project:path>/-/settings/ci_cd")
def variables(path: str) -> ResponseReturnValue:
    project = _project(path)
    found = list_variables(core(), project)
    return render_template("settings/variables.html", project=project, variables=found, values=_EMPTY, error=None)


@pages.post("/<project:path>/-/settings/ci_cd")
def add_variable(path: str) -> ResponseReturnValue:
    project, values = _project(path), _values()
    try:
        save_variable(core(), project, values)
    except (InvalidRequest, AlreadyExists) as error:
        return _again(project, values, error, None)
    flash(f"{values.key} is added.", "done")
    return redirect(url_for("pages.variables", path=project.full_path), 303)


@pages.get("/<project:path>/-/settings/ci_cd/<int:variable_id>")
def edit_variable(path: str, variable_id: int) -> ResponseReturnValue:
    project = _project(path)
    variable = find_variable(core(), project, variable_id)
    return render_template(
        "settings/variable.html", project=project, variable=variable, values=_of(variable), error=None, shown=None
    )


@pages.post("/<project:path>/-/settings/ci_cd/<int:variable_id>")
def change_variable(path: str, variable_id: int) -> ResponseReturnValue:
    project, values = _project(path), _values(keep_value="new_value" not in request.form)
    variable = find_variable(core(), project, variable_id)
    try:
        save_variable(core(), project, values, variable_id)
    except (InvalidRequest, AlreadyExists) as error:
        return _again(project, values, error, variable)
    flash(f"{values.key} is changed.", "done")
    return redirect(url_for("pages.variables", path=project.full_path), 303)


@pages.post("/<project:path>/-/settings/ci_cd/<int:variable_id>/reveal")
def reveal_variable(path: str, variable_id: int) -> ResponseReturnValue:
    project = _project(path)
    variable = find_variable(core(), project, variable_id)
    shown = variable_value(core(), variable)
    page = render_template(
        "settings/variable.html", project=project, variable=variable, values=_of(variable), error=None, shown=shown
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.post("/<project:path>/-/settings/ci_cd/<int:variable_id>/remove")
def delete_variable(path: str, variable_id: int) -> ResponseReturnValue:
    project = _project(path)
    key = remove_variable(core(), project, variable_id)
    flash(f"{key} is removed.", "done")
    return redirect(url_for("pages.variables", path=project.full_path), 303)


def _values(keep_value: bool = False) -> VariableValues:
    form = request.form
    # A browser sends the lines of a text field with CR LF; a key file or a certificate has none.
    value = form.get("value", "").replace("\r\n", "\n")
    return VariableValues(
        key=form.get("key", "").strip(),
        value=None if keep_value else value,
        description=form.get("description", "").strip(),
        environment_scope=form.get("environment_scope", "").strip() or "*",
        protected="protected" in form,
        masked="masked" in form,
        file="file" in form,
        raw="raw" in form,
    )


def _of(variable: CiVariable) -> VariableValues:
    return VariableValues(
        key=variable.key,
        value=None,
        description=variable.description or "",
        environment_scope=variable.environment_scope,
        protected=variable.protected,
        masked=variable.masked,
        file=variable.file,
        raw=variable.raw,
    )


def _again(
    project: Project, values: VariableValues, error: InvalidRequest | AlreadyExists, variable: CiVariable | None
) -> ResponseReturnValue:
    said = (error.field or "key", sentence(error))
    if variable is None:
        found = list_variables(core(), project)
        page = render_template("settings/variables.html", project=project, variables=found, values=values, error=said)
    else:
        page = render_template(
            "settings/variable.html", project=project, variable=variable, values=values, error=said, shown=None
        )
    return page, 422
