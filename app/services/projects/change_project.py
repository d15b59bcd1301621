"""Change the settings of a project that say how its pipelines run."""

from collections.abc import Mapping
from typing import Any

from app.domain.errors import InvalidRequest
from app.domain.permissions import Action, Role
from app.domain.variables_role import MINIMUMS, may_set_variables
from app.models import Project, User, write
from app.services import access
from app.services.core import Core
from app.services.locks import lock_project

#: Columns, and what their values have to be.
NUMBERS: Mapping[str, range] = {"build_timeout": range(600, 2_592_001), "git_depth": range(1001)}
CHOICES: Mapping[str, frozenset[str]] = {
    "git_strategy": frozenset({"fetch", "clone"}),
    "variables_role": frozenset(MINIMUMS),
}
TEXTS: Mapping[str, int] = {"description": 2000, "config_path": 255}
FLAGS = frozenset({"public_jobs", "instance_runners", "auto_cancel_pending_pipelines"})


def change_project(core: Core, project: Project, user: User | None, values: Mapping[str, Any]) -> Project:
    """Set columns of `project`, any of those above. Raises NotAllowed, NotFound, InvalidRequest named by column."""
    access.require(core, Action.ADMIN_PROJECT, user, project)
    for name, value in values.items():
        _check(name, value)
    if values.get("variables_role", project.variables_role) != project.variables_role:
        _require_variables_role(core, project, user)
    project_id = project.id
    with write(core.session):
        held = lock_project(core, project_id)
        for name, value in values.items():
            setattr(held, name, value)
    return held


def _check(name: str, value: Any) -> None:
    if name in NUMBERS and value not in NUMBERS[name]:
        allowed = NUMBERS[name]
        raise InvalidRequest(f"must be between {allowed.start} and {allowed.stop - 1}", name)
    if name in CHOICES and value not in CHOICES[name]:
        raise InvalidRequest("is not included in the list", name)
    if name in TEXTS and len(value) > TEXTS[name]:
        raise InvalidRequest(f"is too long (maximum is {TEXTS[name]} characters)", name)
    if name == "config_path" and (value.startswith("/") or ".." in value.split("/")):
        raise InvalidRequest("is not a path in the repository", name)
    if name not in (*NUMBERS, *CHOICES, *TEXTS, *FLAGS):
        raise InvalidRequest("cannot be changed", name)


def _require_variables_role(core: Core, project: Project, user: User | None) -> None:
    """Where only owners may give variables, a maintainer does not let themselves in."""
    admin = user is not None and user.is_admin
    role = Role.OWNER if admin else access.role_of(core, user, project)
    if project.variables_role == "owner" and not may_set_variables("owner", role):
        raise InvalidRequest("is for owners to change", "variables_role")
