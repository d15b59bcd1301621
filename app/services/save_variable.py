"""CI variables of a project: list, look at, save, remove. Who may is asked before (`Action.ADMIN_VARIABLES`)."""

from dataclasses import dataclass

from sqlalchemy import select

from app.domain.errors import AlreadyExists, InvalidRequest, NotFound
from app.domain.variables import maskable, valid_key
from app.models import CiVariable, Project, write
from app.services.core import Core

MAX_VALUE = 10_000
MAX_SCOPE = 255


@dataclass(frozen=True, slots=True)
class VariableValues:
    """What a variable is made of. `value` None keeps the one it has."""

    key: str
    value: str | None
    description: str = ""
    environment_scope: str = "*"
    protected: bool = False
    masked: bool = False
    file: bool = False
    raw: bool = False


def list_variables(core: Core, project: Project) -> list[CiVariable]:
    """The project's own variables by key, without their values."""
    query = select(CiVariable).where(CiVariable.project_id == project.id)
    return list(core.session.scalars(query.order_by(CiVariable.key, CiVariable.environment_scope)))


def find_variable(core: Core, project: Project, variable_id: int) -> CiVariable:
    """Raises NotFound unless `project` has it."""
    variable = core.session.get(CiVariable, variable_id)
    if variable is None or variable.project_id != project.id:
        raise NotFound("Variable")
    return variable


def variable_value(core: Core, variable: CiVariable) -> str | None:
    """The value in plain text; None for one that is hidden for good."""
    return None if variable.hidden else core.box.open(variable.value_sealed, variable.seal_context)


def save_variable(core: Core, project: Project, values: VariableValues, variable_id: int | None = None) -> CiVariable:
    """Make a variable, or change the one of `variable_id`. Raises InvalidRequest, AlreadyExists, NotFound."""
    project_id = project.id
    _check(values, new=variable_id is None)
    with write(core.session):
        fresh = core.session.get_one(Project, project_id)
        variable = find_variable(core, fresh, variable_id) if variable_id is not None else None
        _refuse_twin(core, project_id, values, variable)
        # The value is sealed for its key, so a new key needs it sealed anew.
        value = values.value
        if variable is None:
            variable = CiVariable(project_id=project_id, key=values.key, created_at=core.now())
            core.session.add(variable)
        elif value is None:
            value = core.box.open(variable.value_sealed, variable.seal_context)
        _apply(core, variable, values, value or "")
    return variable


def remove_variable(core: Core, project: Project, variable_id: int) -> str:
    """Remove it; return its key. Raises NotFound."""
    project_id = project.id
    with write(core.session):
        variable = find_variable(core, core.session.get_one(Project, project_id), variable_id)
        key = variable.key
        core.session.delete(variable)
    return key


def _apply(core: Core, variable: CiVariable, values: VariableValues, value: str) -> None:
    if values.masked and not maskable(value, values.raw):
        raise InvalidRequest(
            "this value cannot be masked: it needs 8 or more characters on one line without spaces, "
            "and unless it is raw only letters, digits and _-+/=@:.~",
            "value",
        )
    variable.key = values.key
    variable.description = values.description or None
    variable.environment_scope = values.environment_scope or "*"
    variable.protected, variable.masked = values.protected, values.masked
    variable.file, variable.raw = values.file, values.raw
    variable.value_sealed = core.box.seal(value, variable.seal_context)


def _check(values: VariableValues, new: bool) -> None:
    if not valid_key(values.key):
        raise InvalidRequest("a key has only letters, digits and underscores, at most 255", "key")
    if new and values.value is None:
        raise InvalidRequest("a new variable needs a value", "value")
    if values.value is not None and len(values.value) > MAX_VALUE:
        raise InvalidRequest(f"a value has at most {MAX_VALUE} characters", "value")
    if len(values.description) > MAX_SCOPE or len(values.environment_scope) > MAX_SCOPE:
        raise InvalidRequest(f"description and environment have at most {MAX_SCOPE} characters", "description")


def _refuse_twin(core: Core, project_id: int, values: VariableValues, variable: CiVariable | None) -> None:
    twin = core.session.scalar(
        select(CiVariable.id).where(
            CiVariable.project_id == project_id,
            CiVariable.key == values.key,
            CiVariable.environment_scope == (values.environment_scope or "*"),
        )
    )
    if twin is not None and (variable is None or twin != variable.id):
        raise AlreadyExists(f"{values.key} is there already for this environment", "key")
