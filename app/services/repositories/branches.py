"""Make and remove branches, as an API asks for it."""

from app.domain import refs
from app.domain.errors import AlreadyExists, InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Role
from app.git.history import find_commit
from app.git.objects import ZERO_ID
from app.git.receive import RefUpdate
from app.git.repository import FoundRef
from app.models import Project, User
from app.services import access
from app.services.core import Core
from app.services.repositories.authorise_push import MAX_REF
from app.services.repositories.move_ref import move_allowed_ref, move_ref, require_writable
from app.services.repositories.protected_refs import Protections


def find_branch(core: Core, project: Project, name: str) -> FoundRef:
    """The branch of that name. Raises NotFound."""
    repository = core.repositories.open(project.id)
    found = repository.current([refs.BRANCH_PREFIX + name]) if repository.exists else []
    if not found or not refs.is_valid_name(name):
        raise NotFound("Branch")
    return found[0]


def create_branch(core: Core, project: Project, user: User, name: str, start: str) -> FoundRef:
    """A new branch `name` at the commit that `start` means. Raises InvalidRequest, AlreadyExists, NotAllowed."""
    require_writable(core, project, user)
    if not refs.is_valid_name(name) or len(name.encode()) > MAX_REF:
        raise InvalidRequest("Branch name is invalid")
    repository = core.repositories.open(project.id)
    if repository.current([refs.BRANCH_PREFIX + name]):
        raise AlreadyExists("Branch already exists")
    commit = find_commit(repository, start, project.default_branch)
    if commit is None:
        raise InvalidRequest(f"Invalid reference name: {start}")
    move_ref(core, project, user, RefUpdate(refs.BRANCH_PREFIX + name, ZERO_ID, commit))
    return FoundRef(refs.BRANCH_PREFIX + name, commit, commit)


def delete_branch(core: Core, project: Project, user: User, name: str) -> None:
    """Remove the branch. Maintainers may remove protected ones this way, nobody the default one.

    Raises NotFound, NotAllowed, Conflict.
    """
    require_writable(core, project, user)
    found = find_branch(core, project, name)
    if name == project.default_branch:
        raise NotAllowed("Cannot remove HEAD branch")
    is_maintainer = user.is_admin or access.role_of(core, user, project) >= Role.MAINTAINER
    if Protections(core, project).of("branch", name).protected and not is_maintainer:
        raise NotAllowed("Protected branch can't be removed")
    move_allowed_ref(core, project, user, RefUpdate(found.full_name, found.target, ZERO_ID))
