"""What a pipeline is made of: which commit of which ref, why, for whom, with which variables."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain import refs
from app.domain.errors import InvalidRequest
from app.domain.plan import Variable
from app.models import PipelineDefinition, Project, User
from app.services.core import Core

NO_COMMIT = "0" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRequest:
    """One pipeline that somebody wants.

    `ref` is the short name of a branch, or of a tag where `tag` is set; `sha` a commit; `before_sha` what the ref was
    before a push.
    `strict`: a configuration that does not compile is an exception, not a failed pipeline. `skip`: it shall only be
    noted.
    `definition` None: the project's own configuration. `variables` override those of the settings.
    """

    project: Project
    ref: str
    sha: str
    user: User | None
    tag: bool = False
    before_sha: str = NO_COMMIT
    source: str = "push"
    variables: tuple[Variable, ...] = ()
    strict: bool = False
    skip: bool = False
    definition: PipelineDefinition | None = None
    source_pipeline_id: int | None = None


def request_for_ref(
    core: Core,
    project: Project,
    ref: str,
    user: User | None,
    *,
    source: str = "api",
    variables: Sequence[Variable] = (),
    strict: bool = True,
) -> PipelineRequest:
    """The request for the newest commit of a branch or tag. Raises InvalidRequest(field "base") in GitLab's words
    (gitlab.md B.4).
    """
    found = core.repositories.open(project.id).find(ref) if project.repository != "none" else []
    if len(found) > 1:
        raise InvalidRequest("Ref is ambiguous", "base")
    if not found:
        raise InvalidRequest("Reference not found", "base")
    if found[0].commit is None:
        raise InvalidRequest("Commit not found", "base")
    return PipelineRequest(
        project=project,
        ref=refs.split(found[0].full_name).name,
        tag=found[0].is_tag,
        sha=found[0].commit,
        user=user,
        source=source,
        variables=tuple(variables),
        strict=strict,
    )
