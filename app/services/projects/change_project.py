"""Change a project's settings: what it is called, who sees it, how its pipelines run. Who may is asked here."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from app.domain import refs
from app.domain.audit import Act
from app.domain.errors import AlreadyExists, InvalidRequest
from app.domain.permissions import Action, Role, Visibility
from app.domain.variables_role import MINIMUMS, may_set_variables
from app.models import Group, Project, User, write
from app.services import access
from app.services.audit.record import changes, record
from app.services.core import Core
from app.services.locks import lock_project
from app.services.projects.create_project import protect_branch
from app.services.projects.paths import MAX_PATH, check_segment

#: Columns, and what their values have to be.
NUMBERS: Mapping[str, range] = {"build_timeout": range(600, 2_592_001), "git_depth": range(1001)}
CHOICES: Mapping[str, frozenset[str]] = {
    "git_strategy": frozenset({"fetch", "clone"}),
    "variables_role": frozenset(MINIMUMS),
    "visibility": frozenset(Visibility),
}
TEXTS: Mapping[str, int] = {
    "name": 255,
    "description": 2000,
    "config_path": 255,
    "default_branch": refs.MAX_DEFAULT_BRANCH,
}
FLAGS = frozenset({"public_jobs", "instance_runners", "auto_cancel_pending_pipelines", "archived"})
SETTINGS = frozenset({*NUMBERS, *CHOICES, *TEXTS, *FLAGS, "path"})
#: What only an owner changes: who sees the project, where it is, and whether it is still in use.
OF_OWNERS = frozenset({"visibility", "archived", "path"})


def change_project(core: Core, project: Project, user: User | None, values: Mapping[str, Any]) -> Project:
    """Set columns of `project`, any of SETTINGS, where `path` is the last part of its full path.

    Raises NotAllowed, NotFound, AlreadyExists and InvalidRequest, these two with the column's name.
    """
    access.require(core, Action.ADMIN_PROJECT, user, project)
    if not OF_OWNERS.isdisjoint(values):
        access.require(core, Action.DESTROY_PROJECT, user, project)
    for name, value in values.items():
        _check(name, value)
    if "default_branch" in values:
        _require_branch(core, project, values["default_branch"])
    if values.get("variables_role", project.variables_role) != project.variables_role:
        _require_variables_role(core, project, user)
    project_id = project.id
    with write(core.session):
        held = lock_project(core, project_id)
        changed = changes(held, dict(values))
        _set(core, held, values)
        if changed:
            record(core, Act.PROJECT_CHANGED, held.full_path, place=held, details=changed)
    return held


def _check(name: str, value: Any) -> None:
    if name not in SETTINGS:
        raise InvalidRequest("cannot be changed", name)
    if name in NUMBERS and value not in NUMBERS[name]:
        allowed = NUMBERS[name]
        raise InvalidRequest(f"must be between {allowed.start} and {allowed.stop - 1}", name)
    if name in CHOICES and value not in CHOICES[name]:
        raise InvalidRequest("is not included in the list", name)
    if name in TEXTS and len(value) > TEXTS[name]:
        raise InvalidRequest(f"is too long (maximum is {TEXTS[name]} characters)", name)
    if name == "name" and not value.strip():
        raise InvalidRequest("can't be blank", name)
    if name == "config_path" and (value.startswith("/") or ".." in value.split("/")):
        raise InvalidRequest("is not a path in the repository", name)


def _require_branch(core: Core, project: Project, branch: str) -> None:
    """The default branch is one that is there, or the first of a repository that has none yet."""
    repository = core.repositories.open(project.id)
    there = repository.current([refs.BRANCH_PREFIX + branch]) or not repository.branches()
    if not refs.is_valid_name(branch) or not there:
        raise InvalidRequest(f"Could not set the default branch to {branch!r}: there is no such branch", "base")


def _require_variables_role(core: Core, project: Project, user: User | None) -> None:
    """Where only owners may give variables, a maintainer does not let themselves in."""
    admin = user is not None and user.is_admin
    role = Role.OWNER if admin else access.role_of(core, user, project)
    if project.variables_role == "owner" and not may_set_variables("owner", role):
        raise InvalidRequest("is for owners to change", "variables_role")


def _set(core: Core, project: Project, values: Mapping[str, Any]) -> None:
    """*In a write*, with `project` held."""
    if "path" in values:
        _move(core, project, values["path"])
    branch = values.get("default_branch", project.default_branch)
    if branch != project.default_branch:
        core.repositories.open(project.id).set_head(branch)
        protect_branch(core, project, branch)
    for name, value in values.items():
        setattr(project, name, value)


def _move(core: Core, project: Project, path: str) -> None:
    """*In a write*: another last part of the full path."""
    check_segment(path, "path")
    full_path = f"{project.full_path.rpartition('/')[0]}/{path}"
    if len(full_path) > MAX_PATH:
        raise InvalidRequest("is too long", "path")
    for table in (Group, Project):
        same = func.lower(table.full_path) == full_path.lower()
        taken = core.session.scalars(select(table).where(same)).first()
        if taken is not None and taken is not project:
            raise AlreadyExists("has already been taken", "path")
    project.full_path = full_path
