"""Settings of a project that its maintainers change."""

from collections.abc import Mapping
from typing import Any

from app.domain.permissions import Action
from app.models import Project, User, write
from app.services import access
from app.services.core import Core
from app.services.locks import lock_project

#: What may be changed here: the column, and what its value has to be.
SETTINGS: Mapping[str, type] = {"auto_cancel_pending_pipelines": bool}


def change_project(core: Core, project: Project, user: User | None, values: Mapping[str, Any]) -> Project:
    """Set columns of SETTINGS; return the project. Raises NotAllowed, NotFound, and TypeError for anything else."""
    access.require(core, Action.ADMIN_PROJECT, user, project)
    for name, value in values.items():
        if not isinstance(value, SETTINGS.get(name, ())):
            raise TypeError(f"{name} is no setting, or not of that kind")
    project_id = project.id
    with write(core.session):
        held = lock_project(core, project_id)
        for name, value in values.items():
            setattr(held, name, value)
    return core.session.get_one(Project, project_id)
