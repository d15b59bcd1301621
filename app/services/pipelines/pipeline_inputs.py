"""Which inputs the configuration of a branch asks for, to be filled in before it runs."""

from app.dialects.base import DeclaredInput
from app.dialects.registry import declared_inputs
from app.domain.errors import LimitExceeded, NotFound
from app.domain.permissions import Action
from app.git.command import GitFailed
from app.models import Project, User
from app.services import access
from app.services.core import Core
from app.services.pipelines.prepare_pipeline import CONFIG_LIMIT, default_definition


def inputs_of_ref(core: Core, project: Project, ref: str, user: User | None) -> tuple[DeclaredInput, ...]:
    """The inputs of the project's configuration at the branch or tag `ref`; none where there is no such thing.

    Raises NotAllowed, NotFound for who may not run pipelines.
    """
    access.require(core, Action.CREATE_PIPELINE, user, project)
    definition = default_definition(core, project.id)
    path = (definition.config_path if definition else None) or project.config_path
    if definition is not None and definition.stored_text is not None:
        return declared_inputs(path, definition.stored_text)
    if project.repository == "none":
        return ()
    repository = core.repositories.open(project.id)
    found = repository.find(ref)
    if len(found) != 1 or found[0].commit is None:
        return ()
    try:
        with repository.objects() as objects:
            text = objects.read_file(found[0].commit, path, CONFIG_LIMIT).decode()
    except (NotFound, LimitExceeded, GitFailed, UnicodeDecodeError):
        return ()
    return declared_inputs(path, text)
