"""A tag that somebody makes without a push: judged, journalled and followed by its pipeline as a pushed one is."""

from app.domain import refs
from app.domain.errors import InvalidRequest, NotAllowed
from app.git.objects import ZERO_ID
from app.git.receive import RefUpdate
from app.git.tags import add_tag, annotate
from app.models import Project, User
from app.services.core import Core
from app.services.repositories.receive_push import finish_push, journal_push
from app.services.repositories.tag_refusal import refusal


def create_tag(core: Core, project: Project, user: User, name: str, commit_id: str, message: str | None) -> None:
    """Make the tag `name` at a commit, annotated where there is a `message`, and the pipelines that follow.

    Raises NotAllowed, InvalidRequest, NotFound("Commit"), AlreadyExists, StorageFull.
    """
    if not refs.is_valid_name(name):
        raise InvalidRequest("Tag name invalid", "tag_name")
    if (reason := refusal(core, project, user, name)) is not None:
        raise NotAllowed(reason)
    repository, ref, target = core.repositories.open(project.id), refs.TAG_PREFIX + name, commit_id
    if message:
        target = annotate(repository, name, commit_id, message, f"{user.name} <{user.email}>", core.now())
    push_id, lock = journal_push(core, project, user, [RefUpdate(ref, ZERO_ID, target)], ())
    done: set[str] = set()
    try:
        add_tag(repository, name, target)
        done.add(ref)
    finally:
        try:
            finish_push(core, push_id, done)
        finally:
            lock.release()
