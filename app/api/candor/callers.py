"""Who calls, and which pipeline they may look into or use (candor.md A.2, "Permissions")."""

from typing import cast

from flask_login import current_user

from app.domain.errors import NotAllowed, NotFound
from app.http.edge import core
from app.models import PipelineDefinition, User
from app.services.runs import assignees, definitions

LARGEST_KEY = 2**63 - 1


def caller() -> User | None:
    """The user of the session, None for an anonymous caller."""
    return cast(User, current_user._get_current_object()) if current_user.is_authenticated else None


def inspected(pipeline_id: str) -> PipelineDefinition:
    """The pipeline, for its assignees, and for everyone where it is public. Raises NotFound, NotAllowed."""
    definition = _find(pipeline_id)
    if not assignees.may_see(core(), definition, caller()):
        raise NotAllowed("this pipeline is private")
    return definition


def used(pipeline_id: str) -> PipelineDefinition:
    """The pipeline, for its assignees alone. Raises NotFound, NotAllowed."""
    definition = _find(pipeline_id)
    if not assignees.may_use(core(), definition, caller()):
        raise NotAllowed("you are not assigned to this pipeline")
    return definition


def _find(pipeline_id: str) -> PipelineDefinition:
    number = int(pipeline_id) if pipeline_id.isascii() and pipeline_id.isdigit() and len(pipeline_id) < 20 else 0
    if not 0 < number <= LARGEST_KEY:
        raise NotFound("Pipeline")
    return definitions.find_definition(core(), number)
