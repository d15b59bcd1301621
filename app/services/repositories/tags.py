"""Make and remove tags, as an API asks for it."""

from app.domain import refs
from app.domain.errors import AlreadyExists, InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Role
from app.git.command import run
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

MAX_MESSAGE = 1024 * 1024


def find_tag(core: Core, project: Project, name: str) -> FoundRef:
    """The tag of that name. Raises NotFound."""
    repository = core.repositories.open(project.id)
    found = repository.current([refs.TAG_PREFIX + name]) if repository.exists else []
    if not found:
        raise NotFound("Tag")
    return found[0]


def create_tag(core: Core, project: Project, user: User, name: str, start: str, message: str = "") -> FoundRef:
    """A new tag `name` at the commit that `start` means; with a `message`, an annotated one.

    Raises InvalidRequest, AlreadyExists, NotAllowed.
    """
    require_writable(core, project, user)
    if not refs.is_valid_name(name) or len(name.encode()) > MAX_REF:
        raise InvalidRequest("Tag name invalid")
    if len(message) > MAX_MESSAGE:
        raise InvalidRequest("The message is too long")
    repository = core.repositories.open(project.id)
    full_name = refs.TAG_PREFIX + name
    if repository.current([full_name]):
        raise AlreadyExists(f"Tag {name} already exists")
    commit = find_commit(repository, start, project.default_branch)
    if commit is None:
        raise InvalidRequest(f"Target {start} is invalid")
    target = _annotated(core, project, user, name, commit, message) if message else commit
    move_ref(core, project, user, RefUpdate(full_name, ZERO_ID, target))
    return FoundRef(full_name, target, commit)


def delete_tag(core: Core, project: Project, user: User, name: str) -> None:
    """Remove the tag. Maintainers may remove protected ones this way. Raises NotFound, NotAllowed, Conflict."""
    require_writable(core, project, user)
    found = find_tag(core, project, name)
    is_maintainer = user.is_admin or access.role_of(core, user, project) >= Role.MAINTAINER
    if Protections(core, project).of("tag", name).protected and not is_maintainer:
        raise NotAllowed("Protected tags can only be deleted by a maintainer")
    move_allowed_ref(core, project, user, RefUpdate(found.full_name, found.target, ZERO_ID))


def _annotated(core: Core, project: Project, user: User, name: str, commit: str, message: str) -> str:
    """The id of a new tag object. Without its ref it is nobody's, and git tidies it away."""
    name_of_user, email = (_plain(text) for text in (user.name or user.username, user.email))
    moment = int(core.now().timestamp())
    text = f"object {commit}\ntype commit\ntag {name}\ntagger {name_of_user} <{email}> {moment} +0000\n\n{message}\n"
    _, out = run(core.repositories.path(project.id), ["mktag"], stdin=text.encode())
    return out.decode("ascii").strip()


def _plain(text: str) -> str:
    """`text` as a person's line in git may hold it."""
    return "".join(character for character in text if character.isprintable() and character not in "<>").strip()
