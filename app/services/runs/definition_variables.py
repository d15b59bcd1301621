"""The variables of one pipeline definition: list, make, change, remove. Values are sealed at rest.

Who may is asked before (`Action.ADMIN_VARIABLES`). What jobs get of them: `services.pipelines.definition_variables`.
"""

from sqlalchemy import Select, select

from app.domain.audit import Act
from app.domain.errors import AlreadyExists, InvalidRequest, NotFound
from app.models import DefinitionVariable, PipelineDefinition, write
from app.services.audit.record import record
from app.services.core import Core
from app.services.projects import ci_variables


def listed(definition: PipelineDefinition) -> Select[DefinitionVariable]:
    """Those of `definition`, by key."""
    query = select(DefinitionVariable).where(DefinitionVariable.definition_id == definition.id)
    return query.order_by(DefinitionVariable.key)


def value_of(core: Core, variable: DefinitionVariable) -> str:
    """The value in plain text."""
    return core.box.open(variable.value_sealed, variable.seal_context)


def add_variable(
    core: Core, definition: PipelineDefinition, key: str, value: str, hidden: bool = False
) -> DefinitionVariable:
    """A new variable. Raises InvalidRequest (field: key, value), AlreadyExists, NotFound."""
    definition_id = definition.id
    with write(core.session):
        if core.session.get(PipelineDefinition, definition_id, with_for_update=True, populate_existing=True) is None:
            raise NotFound("Pipeline")
        twin = select(DefinitionVariable.id).where(
            DefinitionVariable.definition_id == definition_id, DefinitionVariable.key == key
        )
        if core.session.scalar(twin) is not None:
            raise AlreadyExists(f"({key}) has already been taken", "key")
        variable = DefinitionVariable(definition_id=definition_id, key=key, created_at=core.now())
        _set(core, variable, value, hidden)
        core.session.add(variable)
        _note(core, Act.VARIABLE_CREATED, variable)
    return variable


def change_variable(
    core: Core, variable: DefinitionVariable, value: str | None, hidden: bool | None
) -> DefinitionVariable:
    """Change what is not None. A hidden variable stays hidden for good. Raises InvalidRequest, NotFound."""
    variable_id = variable.id
    with write(core.session):
        held = core.session.get(DefinitionVariable, variable_id, with_for_update=True, populate_existing=True)
        if held is None:
            raise NotFound("Variable")
        if held.hidden and hidden is False:
            raise InvalidRequest("a hidden variable stays masked and hidden", "masked")
        plain = value_of(core, held) if value is None else value
        _set(core, held, plain, held.hidden if hidden is None else hidden)
        _note(core, Act.VARIABLE_CHANGED, held)
    return held


def remove_variable(core: Core, variable: DefinitionVariable) -> None:
    """Remove it; fine when it is gone already."""
    variable_id = variable.id
    with write(core.session):
        held = core.session.get(DefinitionVariable, variable_id)
        if held is not None:
            _note(core, Act.VARIABLE_REMOVED, held)
            core.session.delete(held)


def _note(core: Core, act: Act, variable: DefinitionVariable) -> None:
    definition = core.session.get_one(PipelineDefinition, variable.definition_id)
    record(core, act, variable.key, place=definition.project, details={"pipeline": definition.name})


def _set(core: Core, variable: DefinitionVariable, value: str, hidden: bool) -> None:
    settings = {**ci_variables.SETTINGS, "masked": hidden, "hidden": hidden}
    ci_variables.check(variable.key, value, settings)
    variable.hidden = hidden
    variable.value_sealed = core.box.seal(value, variable.seal_context)
