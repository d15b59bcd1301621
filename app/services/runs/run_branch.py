"""Start a run of a branch, at its newest commit or at another one."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from app.domain import refs
from app.domain.errors import InvalidRequest
from app.domain.permissions import Action
from app.domain.plan import Plan, Variable
from app.git.objects import is_object_id
from app.git.repository import Repository
from app.models import Pipeline, Project, User
from app.services import access
from app.services.core import Core
from app.services.pipelines.create_pipeline import run_pipeline
from app.services.pipelines.request_for_ref import request_for_ref

#: The branch of old, which those who name none mean where there is one.
USUAL_BRANCH = "master"
#: How a clone calls the branches of the repository that it came from.
_REMOTE = "origin/"


def run_branch(
    core: Core,
    project: Project,
    user: User,
    *,
    branch: str = "",
    ref: str = "",
    variables: Sequence[Variable] = (),
    amend: Callable[[Plan], Plan] | None = None,
) -> Pipeline:
    """Run `branch` at `ref`: a full commit id, `origin/` and a branch, or the name of a branch or tag.

    `branch` empty: `master` where there is one, else the default branch. `ref` empty: the branch's newest commit. A
    configuration that does not compile makes a failed run. Raises NotFound, NotAllowed, InvalidRequest (field "branch"
    or "ref" where one of them is wrong), and what `amend` raises (`PipelineRequest.amend`).
    """
    access.require(core, Action.CREATE_PIPELINE, user, project)
    repository = core.repositories.open(project.id)
    branch = branch or _usual_branch(project, repository)
    try:
        request = request_for_ref(core, project, refs.BRANCH_PREFIX + branch, user, variables=variables, strict=False)
    except InvalidRequest as error:
        raise InvalidRequest(f"Branch {branch!r} of {project.full_path}: {error}", "branch") from error
    sha = _commit(repository, ref) if ref else request.sha
    if sha is None:
        raise InvalidRequest(f"Ref {ref!r} of {project.full_path}: no such commit", "ref")
    return run_pipeline(core, replace(request, sha=sha, amend=amend))


def _usual_branch(project: Project, repository: Repository) -> str:
    has_usual = project.repository != "none" and repository.current([refs.BRANCH_PREFIX + USUAL_BRANCH])
    return USUAL_BRANCH if has_usual else project.default_branch


def _commit(repository: Repository, ref: str) -> str | None:
    """The commit that `ref` means; a name that branch and tag share means the branch."""
    if is_object_id(ref.lower()):
        return repository.commit_of(ref.lower())
    found = repository.find(ref)
    if not found and ref.startswith(_REMOTE):
        found = repository.find(refs.BRANCH_PREFIX + ref.removeprefix(_REMOTE))
    return found[0].commit if found else None
