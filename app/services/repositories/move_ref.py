"""Move a branch or tag for somebody who asks by an API: as a push of that one ref would, pipelines included."""

from app.domain.errors import Conflict, NotAllowed
from app.domain.permissions import Action
from app.git.command import GitFailed, run
from app.git.receive import RefUpdate
from app.models import Project, User
from app.services import access
from app.services.core import Core
from app.services.repositories.authorise_push import authorise_push
from app.services.repositories.receive_push import finish_push, journal_push


def require_writable(core: Core, project: Project, user: User) -> None:
    """Raises NotFound, NotAllowed unless `user` may change branches and tags of `project` at all."""
    access.require(core, Action.PUSH, user, project)
    if project.repository != "hosted":
        raise NotAllowed("this project's repository is not kept here, so nothing can be pushed to it")
    if project.archived:
        raise NotAllowed("the project is archived")


def move_ref(core: Core, project: Project, user: User, update: RefUpdate) -> None:
    """Do `update`, which `authorise_push` has to allow. Raises NotAllowed, NotFound, Conflict (it moved meanwhile)."""
    require_writable(core, project, user)
    judged = authorise_push(core, project, user, [update], atomic=True)
    if judged.refused:
        raise NotAllowed(judged.refused[update.ref])
    move_allowed_ref(core, project, user, update)


def move_allowed_ref(core: Core, project: Project, user: User, update: RefUpdate) -> None:
    """Do `update`, whose right was checked by the caller. Raises Conflict where the ref is not what it should be."""
    folder = core.repositories.path(project.id)
    push_id, lock = journal_push(core, project, user, [update], ())
    done: set[str] | None = None  # where git failed, what it moved is looked up
    try:
        command = (
            f"delete {update.ref} {update.old}" if update.deletes else f"update {update.ref} {update.new} {update.old}"
        )
        try:
            run(folder, ["update-ref", "--no-deref", "--stdin"], stdin=f"{command}\n".encode())
            done = {update.ref}
        except GitFailed as error:
            raise Conflict("the branch or tag is not what it was: somebody else moved it") from error
        finally:
            finish_push(core, push_id, done)
    finally:
        lock.release()
