"""The variables that the pipelines of one definition have, and those of no other."""

from typing import Any

from sqlalchemy import ColumnElement, bindparam, select

from app.domain.plan import Variable
from app.models import DefinitionVariable, PipelineDefinition
from app.services.core import Core


def definition_variables(core: Core, project_id: int, definition_id: int | None) -> list[Variable]:
    """Those of a definition of that project, opened, by key; `definition_id` None: of its default one.

    They win over the variables of the project. Hidden ones are masked in logs.
    """
    query, whose = (_OF_DEFAULT, project_id) if definition_id is None else (_OF_ONE, definition_id)
    return [
        Variable(row.key, core.box.open(row.value_sealed, row.seal_context), public=False, masked=row.hidden)
        for row in core.session.scalars(query, {"whose": whose})
    ]


def _of(condition: ColumnElement[bool]) -> Any:
    return (
        select(DefinitionVariable).join(DefinitionVariable.definition).where(condition).order_by(DefinitionVariable.key)
    )


_OF_ONE = _of(PipelineDefinition.id == bindparam("whose"))
_OF_DEFAULT = _of((PipelineDefinition.project_id == bindparam("whose")) & PipelineDefinition.is_default.is_(True))
