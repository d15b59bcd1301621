"""Pipeline definitions: named ways to run a project's pipelines, each with its trigger token."""

import secrets
from collections.abc import Iterable

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from app import crypto
from app.dialects.registry import CompileContext, compile_configuration, compiler_for
from app.domain.errors import AlreadyExists, InvalidConfiguration, InvalidRequest, NotFound
from app.domain.permissions import Action, Role
from app.models import Membership, PipelineDefinition, Project, User, write
from app.services import access
from app.services.core import Core

MAX_NAME = 64
MAX_TEXT = 1024 * 1024


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
        taken = select(PipelineDefinition.id).where(func.lower(PipelineDefinition.name) == name.lower())
        if core.session.scalar(taken.where(PipelineDefinition.is_default.is_(False))) is not None:
            raise AlreadyExists(f"there is a pipeline called {name!r} already", "name")
        definition = PipelineDefinition(
            project_id=project_id,
            name=name,
            config_path=config_path,
            stored_text=stored_text,
            public=public,
            created_at=core.now(),
        )
        core.session.add(definition)
        core.session.flush()
        _set_token(core, definition, token)
    return definition, token


def check_name(name: str) -> None:
    """Raises InvalidRequest unless a definition may be called `name`."""
    if not 1 <= len(name.strip()) <= MAX_NAME or not name.isprintable() or name.lower() == "default":
        raise InvalidRequest(f"a pipeline's name has 1 to {MAX_NAME} printable characters and is not `default`", "name")


def check_text(path: str, text: str) -> None:
    """Raises InvalidRequest or InvalidConfiguration unless `text` compiles as the stored text of a file `path`."""
    if len(text) > MAX_TEXT:
        raise InvalidRequest(f"the configuration is longer than {MAX_TEXT} characters", "stored_text")
    errors = compile_configuration(path, text, CompileContext(stored=True)).errors
    if errors:
        raise InvalidConfiguration(str(errors[0]), errors)


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


def may_see(core: Core, definition: PipelineDefinition, user: User | None) -> bool:
    """Whether `user` may see the definition and its runs: it is public, or its project shows them its pipelines."""
    return definition.public or access.may(core, Action.READ_PIPELINE, user, definition.project)


def may_use(core: Core, definition: PipelineDefinition, user: User | None) -> bool:
    """Whether `user` may run and change it: whoever may start pipelines of the project is assigned to it."""
    return access.may(core, Action.CREATE_PIPELINE, user, definition.project)


def visible_definitions(core: Core, user: User | None) -> list[PipelineDefinition]:
    """All that `user` may see, by id."""
    seen = access.visible_projects(core, user).with_only_columns(Project.id)
    query = select(PipelineDefinition).where(
        or_(PipelineDefinition.public.is_(True), PipelineDefinition.project_id.in_(seen))
    )
    rows = core.session.scalars(query.options(joinedload(PipelineDefinition.project)).order_by(PipelineDefinition.id))
    return [row for row in rows if may_see(core, row, user)]


def all_definitions(core: Core) -> list[PipelineDefinition]:
    """All there are, by id: for the operator."""
    query = select(PipelineDefinition).options(joinedload(PipelineDefinition.project)).order_by(PipelineDefinition.id)
    return list(core.session.scalars(query))


def assignees(core: Core, project: Project) -> list[str]:
    """The names of the members of `project`, and of the groups above it, who may start its pipelines."""
    groups = access.group_chain(core, project.group)
    members = select(Membership.user_id).where(
        or_(Membership.project_id == project.id, Membership.group_id.in_(groups)),
        Membership.role >= int(Role.DEVELOPER),
        or_(Membership.expires_at.is_(None), Membership.expires_at > core.now()),
    )
    query = select(User.username).where(User.id.in_(members), User.blocked.is_(False))
    return list(core.session.scalars(query.order_by(User.username)))


def assign(core: Core, definition: PipelineDefinition, users: Iterable[User]) -> None:
    """Make developers of the definition's project of those who are less."""
    project_id, user_ids = definition.project_id, [user.id for user in users]
    with write(core.session):
        for user_id in user_ids:
            found = core.session.scalar(
                select(Membership).where(Membership.project_id == project_id, Membership.user_id == user_id)
            )
            if found is None:
                found = Membership(project_id=project_id, user_id=user_id, role=0, created_at=core.now())
                core.session.add(found)
            found.role = max(found.role, int(Role.DEVELOPER))
            found.expires_at = None


def _set_token(core: Core, definition: PipelineDefinition, token: str) -> None:
    definition.trigger_token_hash = crypto.token_hash(token)
    definition.trigger_token_sealed = core.box.seal(token, _context(definition))


def _context(definition: PipelineDefinition) -> str:
    return f"trigger_token:{definition.id}"
