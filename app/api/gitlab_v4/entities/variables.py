"""CI variables."""

from typing import Any

from app.models import CiVariable
from app.services.core import Core
from app.services.projects import ci_variables


def variable(core: Core, row: CiVariable) -> dict[str, Any]:
    """A project's variable with its value, unless that was given to be hidden for good."""
    return {
        "variable_type": "file" if row.file else "env_var",
        "key": row.key,
        "value": None if row.hidden else ci_variables.value_of(core, row),
        "hidden": row.hidden,
        "protected": row.protected,
        "masked": row.masked,
        "raw": row.raw,
        "environment_scope": row.environment_scope,
        "description": row.description,
    }
