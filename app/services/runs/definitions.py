"""Pipeline definitions: the named ways to run a project's pipelines. What is started from outside has a token."""

import secrets
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload

from app import crypto
from app.dialects.registry import CompileContext, compile_configuration, compiler_for
from app.domain.errors import AlreadyExists, InvalidConfiguration, InvalidRequest, LimitExceeded, NotFound
from app.domain.permissions import Action
from app.models import PipelineDefinition, Project, User, write
from app.services import access
from app.services.core import Core
from app.services.pipelines.prepare_pipeline import CONFIG_LIMIT

#: Of a name that is known in the whole installation, and of one that is known in its project.
MAX_NAME, MAX_PROJECT_NAME = 64, 255
MAX_TEXT = 1024 * 1024
CONFIGURATION_SUFFIXES = (".yml", ".yaml", ".json")


def create_definition(
    core: Core,
    project: Project,
    name: str,
    *,
    config_path: str,
    stored_text: str | None = None,
    public: bool = False,
) -> tuple[PipelineDefinition, str]:
    """A new definition and its trigger token. `stored_text` None: the file `config_path` of the project's repository.

    Raises InvalidRequest, InvalidConfiguration (a stored text that does not compile) and AlreadyExists: names are
    unique among all projects, the `default` ones excepted.
    """
    check_name(name)
    if compiler_for(config_path) is None:
        raise InvalidRequest(f"no dialect is known for a file called {config_path!r}", "config_path")
    if stored_text is None and project.repository == "none":
        raise InvalidRequest("the project has no repository: give the configuration's text", "stored_text")
    if stored_text is not None:
        check_text(config_path, stored_text)
    project_id, token = project.id, secrets.token_hex(16)
    with write(core.session):
        same = select(PipelineDefinition.id).where(func.lower(PipelineDefinition.name) == name.lower())
        definition = _add(
            core,
            same.where(PipelineDefinition.is_default.is_(False)),
            project_id=project_id,
            name=name,
            config_path=config_path,
            stored_text=stored_text,
            public=public,
        )
        _set_token(core, definition, token)
    return definition, token


def add_definition(
    core: Core, project: Project, user: User, name: str, config_path: str | None = None
) -> PipelineDefinition:
    """A new definition for `user`, without a token; its name is unique in the project alone. It runs the file at
    `config_path` (None: the project's own). Raises InvalidRequest, AlreadyExists, NotFound, NotAllowed.
    """
    access.require(core, Action.ADMIN_PROJECT, user, project)
    if not 1 <= len(name) <= MAX_PROJECT_NAME:
        raise InvalidRequest(f"a pipeline's name has 1 to {MAX_PROJECT_NAME} characters", "name")
    if config_path is not None and not is_configuration_path(config_path):
        raise InvalidRequest(f"a configuration's path ends in {', '.join(CONFIGURATION_SUFFIXES)}", "config_path")
    project_id = project.id
    with write(core.session):
        core.session.get_one(Project, project_id, with_for_update={"key_share": True}, populate_existing=True)
        same = select(PipelineDefinition.id).where(PipelineDefinition.name == name)
        same = same.where(PipelineDefinition.project_id == project_id)
        return _add(core, same, project_id=project_id, name=name, config_path=config_path)


def _add(core: Core, same: Select[int], **columns: Any) -> PipelineDefinition:
    """*In a write*: a new row, unless `same` finds one of that name. Raises AlreadyExists."""
    if core.session.scalar(same) is not None:
        raise AlreadyExists(f"a pipeline called {columns['name']!r} exists already", "name")
    definition = PipelineDefinition(created_at=core.now(), **columns)
    core.session.add(definition)
    core.session.flush()
    return definition


def is_configuration_path(text: str) -> bool:
    """Whether `text` names a file in a repository whose ending says that it can be a configuration."""
    segments = text.split("/")
    return (
        len(text) <= MAX_PROJECT_NAME
        and text.endswith(CONFIGURATION_SUFFIXES)
        and not {"", ".", ".."}.intersection(segments)
    )


def check_name(name: str) -> None:
    """Raises InvalidRequest unless a definition may be called `name`."""
    if not 1 <= len(name.strip()) <= MAX_NAME or not name.isprintable() or name.lower() == "default":
        raise InvalidRequest(f"a pipeline's name has 1 to {MAX_NAME} printable characters and is not `default`", "name")


def check_text(path: str, text: str, shown: str | None = None) -> None:
    """Raises InvalidRequest or InvalidConfiguration unless `text` compiles as the stored text of a file `path`.

    `shown`: what messages call the file instead.
    """
    if len(text) > MAX_TEXT:
        raise InvalidRequest(f"the configuration is longer than {MAX_TEXT} characters", "stored_text")
    found = compile_configuration(path, text, CompileContext(stored=True)).errors
    errors = [replace(error, file=shown) if shown and error.file == path else error for error in found]
    if errors:
        raise InvalidConfiguration(str(errors[0]), errors)


def definitions_of(project: Project) -> Select[PipelineDefinition]:
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


def find_definition(core: Core, definition_id: int) -> PipelineDefinition:
    """Raises NotFound."""
    loaded = joinedload(PipelineDefinition.project).joinedload(Project.group)
    found = core.session.get(PipelineDefinition, definition_id, options=[loaded])
    if found is None:
        raise NotFound("Pipeline")
    return found


def definition_by_name(core: Core, name: str) -> PipelineDefinition:
    """The definition of that name (any case), or the default one of the project at that path. Raises NotFound."""
    joined = (
        select(PipelineDefinition)
        .join(Project)
        .where(
            or_(
                PipelineDefinition.is_default.is_(False) & (func.lower(PipelineDefinition.name) == name.lower()),
                PipelineDefinition.is_default.is_(True) & (func.lower(Project.full_path) == name.lower()),
            )
        )
    )
    found = core.session.scalar(joined.order_by(PipelineDefinition.is_default, PipelineDefinition.id).limit(1))
    if found is None:
        raise NotFound(f"Pipeline {name}")
    return found


def definition_by_token(core: Core, token: str) -> PipelineDefinition | None:
    """The definition that a trigger token starts."""
    return core.session.scalar(
        select(PipelineDefinition).where(PipelineDefinition.trigger_token_hash == crypto.token_hash(token))
    )


def display_name(definition: PipelineDefinition) -> str:
    """Its name; a project's default one is called after the project."""
    return definition.project.full_path if definition.is_default else definition.name


def token_of(core: Core, definition: PipelineDefinition) -> str | None:
    """The trigger token in plain text, None where it has none."""
    sealed = definition.trigger_token_sealed
    return None if sealed is None else core.box.open(sealed, _context(definition))


def renew_token(core: Core, definition: PipelineDefinition) -> str:
    """A new trigger token; the one before does not work any more."""
    definition_id, token = definition.id, secrets.token_hex(16)
    with write(core.session):
        _set_token(core, core.session.get_one(PipelineDefinition, definition_id), token)
    return token


def save_text(core: Core, definition: PipelineDefinition, text: str) -> None:
    """Replace the stored text. Raises InvalidRequest for a definition whose text lies in a repository, and as
    `check_text`.
    """
    if definition.stored_text is None:
        raise InvalidRequest("the configuration of this pipeline lies in its project's repository", "stored_text")
    check_text(definition.config_path or "", text)
    definition_id = definition.id
    with write(core.session):
        core.session.get_one(PipelineDefinition, definition_id).stored_text = text


def configuration_of(core: Core, definition: PipelineDefinition) -> tuple[str, str]:
    """(path, text) of the configuration as it stands now. Raises NotFound."""
    path = definition.config_path or definition.project.config_path
    if definition.stored_text is not None:
        return path, definition.stored_text
    sha = newest_commit(core, definition.project)
    if sha is None:
        raise NotFound("Configuration")
    with core.repositories.open(definition.project_id).objects() as objects:
        try:
            return path, objects.read_file(sha, path, CONFIG_LIMIT).decode("utf-8", "replace")
        except LimitExceeded as error:
            raise NotFound("Configuration") from error


def newest_commit(core: Core, project: Project) -> str | None:
    """The newest commit of the project's default branch, None where there is none."""
    if project.repository == "none":
        return None
    found = core.repositories.open(project.id).find(project.default_branch)
    return next((one.commit for one in found if not one.is_tag), None)


def all_definitions(core: Core) -> list[PipelineDefinition]:
    """All there are, by id: for the operator."""
    query = select(PipelineDefinition).options(joinedload(PipelineDefinition.project)).order_by(PipelineDefinition.id)
    return list(core.session.scalars(query))


def _set_token(core: Core, definition: PipelineDefinition, token: str) -> None:
    definition.trigger_token_hash = crypto.token_hash(token)
    definition.trigger_token_sealed = core.box.seal(token, _context(definition))


def _context(definition: PipelineDefinition) -> str:
    return f"trigger_token:{definition.id}"
