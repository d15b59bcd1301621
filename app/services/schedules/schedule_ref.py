"""The branch or tag of a schedule, which is kept by its full name."""

from app.domain import refs
from app.domain.errors import InvalidRequest
from app.models import Project
from app.services.core import Core


def full_ref(core: Core, project: Project, ref: str) -> str:
    """`main` as `refs/heads/main`, where it means one branch or tag; else as it is. Raises InvalidRequest.

    It need not exist: a schedule may wait for its branch.
    """
    name = ref.strip()
    if not name:
        raise InvalidRequest("can't be blank", "ref")
    if not refs.is_valid_name(split_ref(name)[0]):
        raise InvalidRequest("is invalid", "ref")
    if name.startswith((refs.BRANCH_PREFIX, refs.TAG_PREFIX)) or project.repository == "none":
        return name
    found = core.repositories.open(project.id).find(name)
    return found[0].full_name if len(found) == 1 else name


def split_ref(ref: str) -> tuple[str, bool]:
    """The short name, and whether it is a tag's."""
    found = refs.split(ref)
    return found.name, found.is_tag
