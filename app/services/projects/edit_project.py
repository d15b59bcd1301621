"""Change a project's settings. Who may is asked here."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from app.domain import refs
from app.domain.errors import AlreadyExists, InvalidRequest
from app.domain.permissions import Action, Visibility
from app.models import Group, Project, User, write
from app.services import access
from app.services.core import Core
from app.services.projects.create_project import protect_branch
from app.services.projects.paths import check_segment

#: What can be changed, by column.
SETTINGS = frozenset(
    {"name", "path", "description", "visibility", "default_branch", "config_path", "build_timeout", "git_strategy",
     "git_depth", "public_jobs", "instance_runners", "archived"}
)  # fmt: skip
#: What only an owner changes: who sees it, and whether it is still in use.
OF_OWNERS = frozenset({"visibility", "archived", "path"})
TIMEOUTS = range(600, 30 * 24 * 3600 + 1)
MAX_DEPTH = 1000
MAX_NAME, MAX_DESCRIPTION = 255, 2000


def edit_project(core: Core, project: Project, user: User, changes: Mapping[str, Any]) -> Project:
    """Set what `changes` name, any of SETTINGS. Raises InvalidRequest, AlreadyExists, NotAllowed, NotFound."""
    access.require(core, Action.ADMIN_PROJECT, user, project)
    if OF_OWNERS & set(changes):
        access.require(core, Action.DESTROY_PROJECT, user, project)
    project_id = project.id
    for name, value in changes.items():
        _check(core, project, name, value)
    with write(core.session):
        held = core.session.get_one(Project, project_id, with_for_update=True, populate_existing=True)
        if "path" in changes:
            _move(core, held, changes["path"])
        if changes.get("default_branch", held.default_branch) != held.default_branch:
            core.repositories.open(project_id).set_head(changes["default_branch"])
            protect_branch(core, held, changes["default_branch"])
        for name in SETTINGS & set(changes):
            setattr(held, name, changes[name])
    return held


def _check(core: Core, project: Project, name: str, value: Any) -> None:
    if name not in SETTINGS:
        raise InvalidRequest("cannot be changed", name)
    if name == "name" and not 1 <= len(value.strip()) <= MAX_NAME:
        raise InvalidRequest("can't be blank, and has at most 255 characters", "name")
    if name == "description" and len(value) > MAX_DESCRIPTION:
        raise InvalidRequest(f"is too long (maximum is {MAX_DESCRIPTION} characters)", "description")
    if name == "visibility" and value not in tuple(Visibility):
        raise InvalidRequest(f"is one of {', '.join(Visibility)}", "visibility")
    if name == "build_timeout" and value not in TIMEOUTS:
        raise InvalidRequest("is between 10 minutes and 1 month", "build_timeout")
    if name == "git_depth" and not 0 <= value <= MAX_DEPTH:
        raise InvalidRequest(f"must be less than or equal to {MAX_DEPTH}", "ci_default_git_depth")
    if name == "config_path" and (len(value) > MAX_NAME or value.startswith("/") or ".." in value.split("/")):
        raise InvalidRequest("can't be longer than 255 characters, begin with / or hold ..", "ci_config_path")
    if name == "default_branch":
        repository = core.repositories.open(project.id)
        there = repository.current([refs.BRANCH_PREFIX + value]) or not repository.branches()
        if not refs.is_valid_name(value) or not there:
            raise InvalidRequest(f"Could not set the default branch to {value!r}: there is no such branch", "base")


def _move(core: Core, project: Project, path: str) -> None:
    """*In a write*: another last part of the full path."""
    check_segment(path, "path")
    full_path = f"{project.full_path.rpartition('/')[0]}/{path}"
    for table in (Group, Project):
        same = func.lower(table.full_path) == full_path.lower()
        taken = core.session.scalars(select(table).where(same)).first()
        if taken is not None and taken is not project:
            raise AlreadyExists("has already been taken", "path")
    project.full_path = full_path
