"""What a pipeline is made of: which commit of which ref, why, for whom, with which variables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.domain.plan import Plan, Variable
from app.models import MergeRequest, PipelineDefinition, Project, User

NO_COMMIT = "0" * 40
#: The source of pipelines of merge requests.
MERGE_REQUEST = "merge_request_event"
#: So many inputs a pipeline may be given (gitlab.md B.4).
MAX_INPUTS = 20


@dataclass(frozen=True, slots=True)
class GivenConfiguration:
    """A configuration that lies in no repository: its `text`, called `path` in messages. `files` are known to it beside
    those of the commit, by paths of their own.
    """

    path: str
    text: str
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OfMergeRequest:
    """The merge request that a push asked for. `own`: the pipeline is the merge request's, not its source branch's.

    `diff_base_sha`: where the source branch left the target; None where the two have no common past.
    """

    row: MergeRequest
    diff_base_sha: str | None
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRequest:
    """One pipeline that somebody wants.

    `ref` is the short name of a branch, or of a tag where `tag` is set; `sha` a commit; `before_sha` what the ref was
    before a push.
    `strict`: a configuration that does not compile is an exception, not a failed pipeline. `skip`: it shall only be
    noted.
    `message` says why, where the commit's own does not. `source_pipeline_id`: the pipeline whose artifacts are the
    input.
    `definition` None: the project's own configuration, unless a `configuration` is given. `variables` override those of
    the settings.
    `amend` changes the plan that came of the configuration (`domain.plan_changes`); it may raise InvalidRequest.
    `sha` NO_COMMIT: the definition's stored text needs no repository. `inputs` are values that a configuration asks for
    by name. `schedule_description` is that of the schedule that wants it, `trigger_short_token` the beginning of the
    trigger token that does.
    """

    project: Project
    ref: str
    sha: str
    user: User | None
    tag: bool = False
    before_sha: str = NO_COMMIT
    source: str = "push"
    variables: tuple[Variable, ...] = ()
    inputs: Mapping[str, object] = field(default_factory=dict)
    strict: bool = False
    skip: bool = False
    definition: PipelineDefinition | None = None
    configuration: GivenConfiguration | None = None
    source_pipeline_id: int | None = None
    amend: Callable[[Plan], Plan] | None = None
    message: str | None = None
    schedule_description: str | None = None
    trigger_short_token: str | None = None
    merge_request: OfMergeRequest | None = None

    @property
    def is_merge_requests(self) -> bool:
        """Whether it is the pipeline of a merge request, or a child of one: then it is no branch's."""
        return self.merge_request is not None and self.merge_request.own
