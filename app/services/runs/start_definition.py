"""Start a pipeline of one definition: for a user, or for whoever knows its trigger token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.domain.errors import InvalidConfiguration, InvalidRequest, NotFound
from app.domain.permissions import Action
from app.domain.plan import Variable
from app.domain.refs import BRANCH_PREFIX
from app.git.repository import Repository
from app.models import Pipeline, PipelineDefinition, User
from app.services import access
from app.services.core import Core
from app.services.pipelines.create_pipeline import create_pipeline, run_pipeline
from app.services.pipelines.pipeline_request import NO_COMMIT, PipelineRequest
from app.services.pipelines.request_for_ref import newest_of_ref
from app.services.runs.definitions import newest_commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is wanted. `branch` None: the default one. `commit` is a full id, of a commit of `branch`; None: the newest.

    A definition whose text is stored runs without any commit where its project has no default branch.
    `source`: the pipeline whose artifacts are the input; without a branch, its commit is run again.
    `inputs` are values for what the configuration asks for by name.
    """

    branch: str | None = None
    commit: str | None = None
    message: str | None = None
    variables: Sequence[Variable] = ()
    source: Pipeline | None = None
    inputs: Mapping[str, object] = field(default_factory=dict)


def run_definition(core: Core, definition: PipelineDefinition, user: User, order: Order) -> Pipeline:
    """The new pipeline; one whose configuration does not compile has failed already, and says why.

    Raises NotFound, NotAllowed, InvalidRequest (field: branch, commit or source), InvalidConfiguration (the
    configuration asks for no pipeline here).
    """
    access.require(core, Action.CREATE_PIPELINE, user, definition.project)
    return run_pipeline(core, _request(core, definition, order, user))


def trigger_definition(core: Core, definition: PipelineDefinition, order: Order) -> Pipeline:
    """The new pipeline, which belongs to nobody: whoever knows the trigger token may start it.

    Raises InvalidRequest, and InvalidConfiguration for a configuration that does not compile or asks for no pipeline.
    """
    if definition.project.archived:
        raise InvalidRequest("the project is archived")
    request = replace(_request(core, definition, order, None), source="trigger", strict=True)
    pipeline = create_pipeline(core, request)
    if pipeline is None:
        raise InvalidConfiguration("the configuration asks for no pipeline")
    return pipeline


def _request(core: Core, definition: PipelineDefinition, order: Order, user: User | None) -> PipelineRequest:
    source = order.source
    if source is not None and source.project_id != definition.project_id:
        raise InvalidRequest("the source is a pipeline of another project", "source")
    if source is not None and order.branch is None:
        request = PipelineRequest(
            project=source.project, ref=source.ref, tag=source.tag, sha=source.sha, user=user, source="api"
        )
    else:
        request = _of_branch(core, definition, order, user)
    return replace(
        request,
        definition=definition,
        variables=tuple(order.variables),
        inputs=order.inputs,
        source_pipeline_id=source.id if source else None,
        message=order.message,
    )


def _of_branch(core: Core, definition: PipelineDefinition, order: Order, user: User | None) -> PipelineRequest:
    project = definition.project
    if order.branch is None and order.commit is None and _needs_no_commit(core, definition):
        return PipelineRequest(project=project, ref=project.default_branch, sha=NO_COMMIT, user=user, source="api")
    name = order.branch or project.default_branch
    try:
        request = newest_of_ref(core, project, BRANCH_PREFIX + name, user, strict=False)
    except InvalidRequest as error:
        raise InvalidRequest(str(error), "branch") from error
    if order.commit is None:
        return request
    if not _holds(core.repositories.open(request.project.id), request.sha, order.commit):
        raise InvalidRequest(f"the branch {name} holds no such commit", "commit")
    return replace(request, sha=order.commit)


def _needs_no_commit(core: Core, definition: PipelineDefinition) -> bool:
    """Whether the stored text is all there is. A mirror has to be fetched before anybody can say so."""
    project = definition.project
    return (
        definition.stored_text is not None and project.repository != "mirrored" and newest_commit(core, project) is None
    )


def _holds(repository: Repository, head: str, commit: str) -> bool:
    """Whether `commit` is on the branch that ends in `head`. Others are refused, because jobs of a protected branch see
    protected variables.
    """
    try:
        return repository.commit_of(commit) == commit and repository.is_ancestor(commit, head)
    except NotFound:  # it has not the form of one
        return False
