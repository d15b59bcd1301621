"""The variables that the pipelines of one definition have, and those of no other."""

from sqlalchemy import ColumnElement, select

from app.domain.plan import Variable
from app.models import DefinitionVariable, PipelineDefinition
from app.services.core import Core


def definition_variables(core: Core, project_id: int, definition_id: int | None) -> list[Variable]:
    """Those of a definition of that project, opened, by key; `definition_id` None: of its default one.

    They win over the variables of the project. Hidden ones are masked in logs.
    """
    query = select(DefinitionVariable).join(DefinitionVariable.definition).where(_of(project_id, definition_id))
    return [
        Variable(row.key, core.box.open(row.value_sealed, row.seal_context), public=False, masked=row.hidden)
        for row in core.session.scalars(query.order_by(DefinitionVariable.key))
    ]


def _of(project_id: int, definition_id: int | None) -> ColumnElement[bool]:
    if definition_id is not None:
        return PipelineDefinition.id == definition_id
    return (PipelineDefinition.project_id == project_id) & PipelineDefinition.is_default.is_(True)
