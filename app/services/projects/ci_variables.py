"""The CI variables of a project, a group or the instance: list, find, make, change, remove. Values are sealed at rest.

Who may is asked before (`Action.ADMIN_VARIABLES`, `access.require_group`).
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, select

from app.domain.audit import Act
from app.domain.errors import AlreadyExists, Conflict, InvalidRequest, NotFound
from app.domain.variables import maskable, valid_key
from app.models import CiVariable, Group, Project, write
from app.services.audit.record import place_of, record
from app.services.core import Core

#: Where variables are kept. None is the instance: every job of every project gets them.
Place = Project | Group | None
#: GitLab's bound. The kernel refuses an environment variable above 128 KiB.
MAX_VALUE = 10_000
MAX_TEXT = 255
#: What a variable is made of, besides its key and value, with the defaults.
SETTINGS: Mapping[str, Any] = {
    "protected": False,
    "masked": False,
    "hidden": False,
    "raw": False,
    "file": False,
    "environment_scope": "*",
    "description": None,
}


class Ambiguous(Conflict):
    """Several variables have the key; the environment scope has to say which one is meant."""


def variables_of(place: Place) -> Select[CiVariable]:
    """The own variables of a project, a group or the instance, by key."""
    project_id = place.id if isinstance(place, Project) else None
    group_id = place.id if isinstance(place, Group) else None
    query = select(CiVariable).where(CiVariable.project_id == project_id, CiVariable.group_id == group_id)
    return query.order_by(CiVariable.key, CiVariable.environment_scope, CiVariable.id)


def project_variables(project: Project) -> Select[CiVariable]:
    """The project's own variables, by key."""
    return variables_of(project)


def group_variables(group: Group) -> Select[CiVariable]:
    """The group's own variables, by key."""
    return variables_of(group)


def find_variable(core: Core, place: Place, key: str, environment_scope: str | None = None) -> CiVariable:
    """The variable of that key, and of that scope where given. Raises NotFound (as GitLab names it), Ambiguous."""
    query = variables_of(place).where(CiVariable.key == key)
    if environment_scope is not None:
        query = query.where(CiVariable.environment_scope == environment_scope)
    found = core.session.scalars(query.limit(2)).all()
    if not found:
        raise NotFound("Variable" if isinstance(place, Project) else f"{'Group' if place else 'Instance'}Variable")
    if len(found) > 1:
        raise Ambiguous("There are multiple variables with provided parameters. Please use 'filter[environment_scope]'")
    return found[0]


def value_of(core: Core, variable: CiVariable) -> str:
    """The value in plain text."""
    return core.box.open(variable.value_sealed, variable.seal_context)


def add_variable(core: Core, place: Place, key: str, value: str, settings: Mapping[str, Any]) -> CiVariable:
    """A new variable; `settings` are any of SETTINGS. Raises InvalidRequest, AlreadyExists."""
    owner = {} if place is None else {"project_id" if isinstance(place, Project) else "group_id": place.id}
    with write(core.session):
        variable = CiVariable(key=key, created_at=core.now(), **owner)
        _apply(core, variable, value, {**SETTINGS, **settings})
        core.session.add(variable)
        _note(core, Act.VARIABLE_CREATED, variable)
    return variable


def change_variable(core: Core, variable: CiVariable, value: str | None, settings: Mapping[str, Any]) -> CiVariable:
    """Change what `settings` name, and the value unless it is None. Raises InvalidRequest, AlreadyExists, NotFound.

    A hidden variable stays masked and hidden for good.
    """
    variable_id = variable.id
    with write(core.session):
        held = core.session.get(CiVariable, variable_id, with_for_update=True, populate_existing=True)
        if held is None:
            raise NotFound("Variable")
        merged = {name: getattr(held, name) for name in SETTINGS} | dict(settings)
        if held.hidden and not (merged["hidden"] and merged["masked"]):
            raise InvalidRequest("a hidden variable stays masked and hidden", "masked")
        before = {name: getattr(held, name) for name in SETTINGS}
        _apply(core, held, value_of(core, held) if value is None else value, merged)
        changed = [name for name in SETTINGS if merged[name] != before[name]] + (["value"] if value is not None else [])
        _note(core, Act.VARIABLE_CHANGED, held, changed=changed)
    return held


def remove_variable(core: Core, variable: CiVariable) -> None:
    """Remove it; fine when it is gone already."""
    variable_id = variable.id
    with write(core.session):
        held = core.session.get(CiVariable, variable_id)
        if held is not None:
            _note(core, Act.VARIABLE_REMOVED, held)
            core.session.delete(held)


def _note(core: Core, act: Act, variable: CiVariable, **details: Any) -> None:
    """Its key and where it counts; never its value."""
    place = place_of(core, variable.project_id, variable.group_id)
    details = {"environment_scope": variable.environment_scope} | details
    record(core, act, variable.key, place=place, details=details)


def _apply(core: Core, variable: CiVariable, value: str, settings: Mapping[str, Any]) -> None:
    check(variable.key, value, settings)
    _refuse_twin(core, variable, settings["environment_scope"])
    for name in SETTINGS:
        setattr(variable, name, settings[name])
    variable.value_sealed = core.box.seal(value, variable.seal_context)


def check(key: str, value: str, settings: Mapping[str, Any]) -> None:
    """Raises InvalidRequest unless a variable can be so. `settings` has all of SETTINGS."""
    require_key(key)
    if len(value) > MAX_VALUE:
        raise InvalidRequest(f"is too long (maximum is {MAX_VALUE} characters)", "value")
    if settings["masked"] and not maskable(value, settings["raw"]):
        raise InvalidRequest("is invalid", "value")
    for name in ("environment_scope", "description"):
        if len(settings[name] or "") > MAX_TEXT:
            raise InvalidRequest(f"is too long (maximum is {MAX_TEXT} characters)", name)
    if not settings["environment_scope"]:
        raise InvalidRequest("can't be blank", "environment_scope")


def require_key(key: str) -> None:
    """Raises InvalidRequest where `key` cannot name a variable, in GitLab's words."""
    if len(key) > MAX_TEXT:
        raise InvalidRequest(f"is too long (maximum is {MAX_TEXT} characters)", "key")
    if not valid_key(key):
        raise InvalidRequest("can contain only letters, digits and '_'." if key else "can't be blank", "key")


def _refuse_twin(core: Core, variable: CiVariable, environment_scope: str) -> None:
    twin = core.session.scalar(
        select(CiVariable.id).where(
            CiVariable.project_id == variable.project_id,
            CiVariable.group_id == variable.group_id,
            CiVariable.key == variable.key,
            CiVariable.environment_scope == environment_scope,
            CiVariable.id != (variable.id or 0),
        )
    )
    if twin is not None:
        raise AlreadyExists(f"({variable.key}) has already been taken", "key")
