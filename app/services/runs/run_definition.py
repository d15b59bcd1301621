"""Start a pipeline of one definition: of a branch, of one of its commits, or on top of an earlier pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.errors import InvalidRequest, NotFound
from app.domain.permissions import Action
from app.domain.plan import Variable
from app.domain.refs import BRANCH_PREFIX
from app.git.repository import Repository
from app.models import Pipeline, PipelineDefinition, User
from app.services import access
from app.services.core import Core
from app.services.pipelines.create_pipeline import run_pipeline
from app.services.pipelines.pipeline_request import PipelineRequest
from app.services.pipelines.request_for_ref import request_for_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is wanted. `commit` is a full id, of a commit of `branch`; None: the newest.

    `source`: the pipeline whose artifacts are the input; without a branch, its commit is run again.
    """

    branch: str | None = None
    commit: str | None = None
    message: str | None = None
    variables: Sequence[Variable] = ()
    source: Pipeline | None = None


def run_definition(core: Core, definition: PipelineDefinition, user: User, order: Order) -> Pipeline:
    """The new pipeline; one whose configuration does not compile has failed already, and says why.

    Raises NotFound, NotAllowed, InvalidRequest (field: branch, commit or source), InvalidConfiguration (the
    configuration asks for no pipeline here).
    """
    access.require(core, Action.CREATE_PIPELINE, user, definition.project)
    if order.source is not None and order.source.project_id != definition.project_id:
        raise InvalidRequest("the source is a pipeline of another project", "source")
    source = order.source
    if source is not None and order.branch is None:
        request = PipelineRequest(
            project=source.project, ref=source.ref, tag=source.tag, sha=source.sha, user=user, source="api"
        )
    else:
        request = _of_branch(core, definition, user, order)
    return run_pipeline(
        core,
        replace(
            request,
            definition=definition,
            variables=tuple(order.variables),
            source_pipeline_id=source.id if source else None,
            message=order.message,
        ),
    )


def _of_branch(core: Core, definition: PipelineDefinition, user: User, order: Order) -> PipelineRequest:
    project = definition.project
    name = order.branch or project.default_branch
    try:
        request = request_for_ref(core, project, BRANCH_PREFIX + name, user, strict=False)
    except InvalidRequest as error:
        raise InvalidRequest(str(error), "branch") from error
    if order.commit is None:
        return request
    if not _holds(core.repositories.open(request.project.id), request.sha, order.commit):
        raise InvalidRequest(f"the branch {name} holds no such commit", "commit")
    return replace(request, sha=order.commit)


def _holds(repository: Repository, head: str, commit: str) -> bool:
    """Whether `commit` is on the branch that ends in `head`. Others are refused, because jobs of a protected branch see
    protected variables.
    """
    try:
        return repository.commit_of(commit) == commit and repository.is_ancestor(commit, head)
    except NotFound:  # it has not the form of one
        return False
