"""CI variables: of a project, a group, the installation. Values are shown only when asked for, one at a time, and never
cached.
"""

from typing import Any

from flask import flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.dashboard.homes import Home, Homes
from app.domain.errors import AlreadyExists, InvalidRequest, NotFound
from app.domain.permissions import Action
from app.http.edge import core
from app.models import CiVariable, Project
from app.services.projects.ci_variables import (
    SETTINGS,
    add_variable,
    change_variable,
    remove_variable,
    value_of,
    variables_of,
)

_FLAGS = ("protected", "masked", "raw", "file")
_NOT_MASKABLE = (
    "This value cannot be masked: it needs 8 or more characters on one line without spaces, "
    "and unless it is raw only letters, digits and _ - + / = @ : . ~"
)
_homes = Homes(
    "variables",
    Action.ADMIN_VARIABLES,
    project="/<project:path>/-/settings/ci_cd",
    group="/-/groups/<namespace:path>/-/settings/ci_cd",
    admin="/-/admin/variables",
)


def _find(home: Home, variable_id: int) -> CiVariable:
    """One that is kept here, not above or below. Raises NotFound."""
    variable, place = core().session.get(CiVariable, variable_id), home.place
    owner = (None, None) if place is None else (place.id, None) if isinstance(place, Project) else (None, place.id)
    if variable is None or (variable.project_id, variable.group_id) != owner:
        raise NotFound("Variable")
    return variable


@_homes.get()
def variables(home: Home) -> ResponseReturnValue:
    return _list_page(home, {"key": "", **SETTINGS})


@_homes.post()
def create_variable(home: Home) -> ResponseReturnValue:
    key, settings = request.form.get("key", "").strip(), _settings(home)
    try:
        add_variable(core(), home.place, key, _value(), settings)
    except (InvalidRequest, AlreadyExists) as error:
        return _list_page(home, {"key": key, **settings}, _explain(error, settings)), 422
    flash(f"{key} is added.", "done")
    return redirect(home.address, 303)


@_homes.get("/<key:variable_id>")
def variable(home: Home, variable_id: int) -> ResponseReturnValue:
    return _page(home, _find(home, variable_id))


@_homes.post("/<key:variable_id>")
def save_variable(home: Home, variable_id: int) -> ResponseReturnValue:
    settings, found = _settings(home), _find(home, variable_id)
    if found.hidden:
        settings |= {"hidden": True, "masked": True}
    try:
        change_variable(core(), found, _value() if "value" in request.form else None, settings)
    except (InvalidRequest, AlreadyExists) as error:
        shown = _value() if "value" in request.form else None
        return _page(home, found, settings, _explain(error, settings), shown), 422, {"Cache-Control": "no-store"}
    flash(f"{found.key} is changed.", "done")
    return redirect(home.address, 303)


@_homes.post("/<key:variable_id>/reveal")
def reveal_variable(home: Home, variable_id: int) -> ResponseReturnValue:
    found = _find(home, variable_id)
    response = make_response(_page(home, found, shown=None if found.hidden else value_of(core(), found)))
    response.headers["Cache-Control"] = "no-store"
    return response


@_homes.post("/<key:variable_id>/remove")
def delete_variable(home: Home, variable_id: int) -> ResponseReturnValue:
    found = _find(home, variable_id)
    key = found.key
    remove_variable(core(), found)
    flash(f"{key} is removed.", "done")
    return redirect(home.address, 303)


def _settings(home: Home) -> dict[str, Any]:
    """What the form says. The installation knows no environments: theirs go everywhere."""
    form = request.form
    scope = form.get("environment_scope", "").strip() if home.place else ""
    texts = {"description": form.get("description", "").strip() or None, "environment_scope": scope or "*"}
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


def _list_page(home: Home, values: dict[str, Any], error: tuple[str, str] | None = None) -> str:
    found = core().session.scalars(variables_of(home.place)).all()
    return render_template("variables/list.html", variables=found, values=values, error=error, **home.shown())


def _page(
    home: Home,
    found: CiVariable,
    settings: dict[str, Any] | None = None,
    error: tuple[str, str] | None = None,
    shown: str | None = None,
) -> str:
    values = settings or {name: getattr(found, name) for name in SETTINGS}
    return render_template(
        "variables/edit.html", variable=found, values=values, error=error, shown=shown, **home.shown()
    )
