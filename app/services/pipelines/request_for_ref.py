"""From the name of a branch or tag to what a pipeline of it is made of."""

from collections.abc import Mapping, Sequence

from app.domain.errors import Conflict, InvalidRequest
from app.domain.permissions import Action
from app.domain.plan import Variable
from app.git.command import GitFailed, GitTimedOut
from app.models import Project, User
from app.services import access
from app.services.core import Core
from app.services.pipelines.pipeline_request import MAX_INPUTS, PipelineRequest
from app.services.repositories.mirror import fetch_mirror
from app.services.repositories.request_fetch import ask_for_fetch

#: Whoever asks for a pipeline of a mirror waits no longer than so many seconds for its remote.
WITHIN = 30.0


def request_for_ref(
    core: Core,
    project: Project,
    ref: str,
    user: User | None,
    *,
    source: str = "api",
    variables: Sequence[Variable] = (),
    inputs: Mapping[str, object] | None = None,
    strict: bool = True,
) -> PipelineRequest:
    """`newest_of_ref`, if `user` may run pipelines at all. Raises NotFound and NotAllowed, too."""
    access.require(core, Action.CREATE_PIPELINE, user, project)
    return newest_of_ref(core, project, ref, user, source=source, variables=variables, inputs=inputs, strict=strict)


def newest_of_ref(
    core: Core,
    project: Project,
    ref: str,
    user: User | None,
    *,
    source: str = "api",
    variables: Sequence[Variable] = (),
    inputs: Mapping[str, object] | None = None,
    strict: bool = True,
) -> PipelineRequest:
    """The request for the newest commit of a branch or tag; a mirror is fetched first. Who may is asked before.

    Raises InvalidRequest(field "base") in GitLab's words (gitlab.md B.4), and where a mirror's remote takes longer than
    `WITHIN`.
    """
    if project.repository == "mirrored":
        _fetch(core, project, ref)
    found = core.repositories.open(project.id).find(ref) if project.repository != "none" else []
    if len(found) > 1:
        raise InvalidRequest("Ref is ambiguous", "base")
    if not found:
        raise InvalidRequest("Reference not found", "base")
    if found[0].commit is None:
        raise InvalidRequest("Commit not found", "base")
    if inputs and len(inputs) > MAX_INPUTS:
        raise InvalidRequest(f"There cannot be more than {MAX_INPUTS} inputs", "base")
    return PipelineRequest(
        project=project,
        ref=found[0].name,
        tag=found[0].is_tag,
        sha=found[0].commit,
        user=user,
        source=source,
        variables=tuple(variables),
        inputs=inputs or {},
        strict=strict,
    )


def _fetch(core: Core, project: Project, ref: str) -> None:
    """Fetch a mirror. Where that takes too long it goes on in the background, and the next try finds what came."""
    project_id = project.id
    try:
        fetch_mirror(core, project, without=ref, within=WITHIN)
    except (GitTimedOut, Conflict) as error:
        ask_for_fetch(core, project_id)
        late = f"The mirror could not be fetched within {WITHIN:g} seconds. It is fetched in the background: try again."
        raise InvalidRequest(late, "base") from error
    except GitFailed as error:
        raise InvalidRequest(f"The mirror could not be fetched: {error}", "base") from error
