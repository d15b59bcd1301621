"""Why somebody may not make a tag here, asked before it is made."""

from app.domain import refs
from app.git.objects import ZERO_ID
from app.git.receive import RefUpdate
from app.models import Project, User
from app.services.core import Core
from app.services.repositories.authorise_push import authorise_push

#: Which commit a tag is to name does not matter for whether it may be made.
_ANY = "1" * 40


def refusal(core: Core, project: Project, user: User | None, name: str) -> str | None:
    """Why `user` may not make the tag `name`, in a sentence; None where they may. Whether it exists is not asked."""
    if project.repository == "none":
        return "The project has no repository, so it has no tags."
    if project.repository == "mirrored":
        return "The repository is a mirror: its tags are made where it is mirrored from."
    if user is None:
        return "Nobody is left who could make the tag."
    if not refs.is_valid_name(name):
        return "Tag name invalid"
    judged = authorise_push(core, project, user, [RefUpdate(refs.TAG_PREFIX + name, ZERO_ID, _ANY)], False)
    if not judged.allowed:
        return f"You are not allowed to create this tag: {next(iter(judged.refused.values()))}."
    return None
