"""The named ways to run a project's pipelines: list, find, make."""

from collections.abc import Collection

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from app.domain.errors import AlreadyExists, InvalidRequest
from app.domain.permissions import Action
from app.models import PipelineDefinition, Project, User, write
from app.services import access
from app.services.core import Core

MAX_NAME = 255
CONFIGURATION_SUFFIXES = (".yml", ".yaml", ".json")


def definitions(project: Project) -> Select[PipelineDefinition]:
    """The definitions of `project`, the oldest first."""
    query = select(PipelineDefinition).where(PipelineDefinition.project_id == project.id)
    return query.options(joinedload(PipelineDefinition.project)).order_by(PipelineDefinition.id)


def defaults(core: Core, project_ids: Collection[int]) -> dict[int, PipelineDefinition]:
    """The default definition of each project, by the project's id."""
    query = select(PipelineDefinition).where(
        PipelineDefinition.project_id.in_(project_ids), PipelineDefinition.is_default.is_(True)
    )
    found = core.session.scalars(query.order_by(PipelineDefinition.id.desc()))
    return {definition.project_id: definition for definition in found}


def add_definition(
    core: Core, project: Project, user: User, name: str, config_path: str | None = None
) -> PipelineDefinition:
    """A new definition, which runs the file at `config_path` (None: the project's own). Raises InvalidRequest,
    AlreadyExists, NotFound, NotAllowed.
    """
    access.require(core, Action.ADMIN_PROJECT, user, project)
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidRequest(f"a pipeline's name has 1 to {MAX_NAME} characters", "name")
    if config_path is not None and not is_configuration_path(config_path):
        raise InvalidRequest(f"a configuration's path ends in {', '.join(CONFIGURATION_SUFFIXES)}", "config_path")
    project_id = project.id
    with write(core.session):
        held = core.session.get_one(Project, project_id, with_for_update={"key_share": True}, populate_existing=True)
        taken = select(PipelineDefinition.id).where(
            PipelineDefinition.project_id == project_id, PipelineDefinition.name == name
        )
        if core.session.scalar(taken) is not None:
            raise AlreadyExists("a pipeline of this name exists", "name")
        definition = PipelineDefinition(name=name, config_path=config_path, created_at=core.now())
        definition.project_id = held.id
        core.session.add(definition)
    return definition


def is_configuration_path(text: str) -> bool:
    """Whether `text` names a file in a repository whose ending says that it can be a configuration."""
    segments = text.split("/")
    return (
        len(text) <= MAX_NAME and text.endswith(CONFIGURATION_SUFFIXES) and not {"", ".", ".."}.intersection(segments)
    )
