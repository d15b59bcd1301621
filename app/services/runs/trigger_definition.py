"""Start a pipeline by its definition, and read the configuration that it would run."""

from collections.abc import Mapping

from app.domain.errors import Conflict, InvalidRequest, LimitExceeded, NotFound
from app.git.command import GitFailed
from app.models import Pipeline, PipelineDefinition, Project, User
from app.services.core import Core
from app.services.pipelines.create_pipeline import create_pipeline
from app.services.pipelines.pipeline_request import NO_COMMIT, PipelineRequest
from app.services.pipelines.prepare_pipeline import CONFIG_LIMIT
from app.services.repositories.mirror import fetch_mirror


def trigger_definition(
    core: Core,
    definition: PipelineDefinition,
    inputs: Mapping[str, str],
    *,
    user: User | None = None,
    source: str = "trigger",
) -> Pipeline:
    """A new pipeline of the newest commit of the default branch; of none, where the stored text needs none.

    `inputs` are values for what the configuration asks for by name. Who may is decided before: a trigger token, or
    `definitions.may_use`. Raises InvalidRequest, InvalidConfiguration.
    """
    project = definition.project
    if project.archived:
        raise InvalidRequest("the project is archived")
    if project.repository == "mirrored":
        try:
            fetch_mirror(core, project, without=project.default_branch)
        except (GitFailed, Conflict) as error:
            raise InvalidRequest(f"the mirror could not be fetched: {error}") from error
    sha = _newest_commit(core, project)
    if sha is None and definition.stored_text is None:
        raise InvalidRequest(f"there is no branch {project.default_branch} to take the configuration from")
    request = PipelineRequest(
        project=project,
        ref=project.default_branch,
        sha=sha or NO_COMMIT,
        user=user,
        source=source,
        inputs=dict(inputs),
        strict=True,
        definition=definition,
    )
    pipeline = create_pipeline(core, request)
    if pipeline is None:
        raise InvalidRequest("the configuration asks for no pipeline")
    return pipeline


def configuration_of(core: Core, definition: PipelineDefinition) -> tuple[str, str]:
    """(path, text) of the configuration as it stands now. Raises NotFound."""
    path = definition.config_path or definition.project.config_path
    if definition.stored_text is not None:
        return path, definition.stored_text
    sha = _newest_commit(core, definition.project)
    if sha is None:
        raise NotFound("Configuration")
    with core.repositories.open(definition.project_id).objects() as objects:
        try:
            return path, objects.read_file(sha, path, CONFIG_LIMIT).decode("utf-8", "replace")
        except LimitExceeded as error:
            raise NotFound("Configuration") from error


def _newest_commit(core: Core, project: Project) -> str | None:
    if project.repository == "none":
        return None
    found = core.repositories.open(project.id).find(project.default_branch)
    return next((one.commit for one in found if not one.is_tag), None)
