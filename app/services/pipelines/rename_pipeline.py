"""Give a pipeline another name."""

from app.domain.errors import InvalidRequest
from app.domain.permissions import Action
from app.models import Pipeline, User, write
from app.services import access
from app.services.core import Core
from app.services.locks import lock_pipeline
from app.services.pipelines.advance_pipeline import announce_pipeline

MAX_NAME = 255


def rename_pipeline(core: Core, pipeline: Pipeline, user: User | None, name: str) -> Pipeline:
    """Call `pipeline` by `name`. Raises NotAllowed, NotFound, InvalidRequest."""
    access.require(core, Action.UPDATE_PIPELINE, user, pipeline.project)
    name = name.strip()
    if not name:
        raise InvalidRequest("Name is too short (minimum is 1 character)")
    if len(name) > MAX_NAME:
        raise InvalidRequest(f"Name is too long (maximum is {MAX_NAME} characters)")
    pipeline_id = pipeline.id
    with write(core.session):
        held = lock_pipeline(core, pipeline_id)
        held.name, held.updated_at = name, core.now()
        announce_pipeline(core, held)
    return held
