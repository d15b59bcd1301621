"""What a release's `ref` means."""

from app.domain.errors import InvalidRequest, NotFound
from app.models import Project
from app.services.core import Core


def resolve_ref(core: Core, project: Project, ref: str | None) -> str:
    """The commit of a branch, a tag or a commit's whole id. Raises InvalidRequest in GitLab's words."""
    if not ref:
        raise InvalidRequest("Ref is not specified")
    repository = core.repositories.open(project.id)
    for found in repository.find(ref):
        if found.commit is not None:
            return found.commit
    try:
        commit = repository.commit_of(ref)
    except NotFound:
        commit = None
    if commit is None:
        raise InvalidRequest("Ref is not found")
    return commit
