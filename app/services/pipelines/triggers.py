"""Trigger tokens of a project: made, shown, changed, removed (gitlab.md B.5)."""

from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from app import crypto
from app.domain.audit import Act
from app.domain.errors import InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Action
from app.models import PipelineTrigger, Project, User, write
from app.services import access
from app.services.audit.record import place_of, record
from app.services.core import Core

PREFIX = "glptt-"
MAX_DESCRIPTION = 255
#: How much of a token others than its owner see.
SHORT = 4


def project_triggers(project: Project) -> Select[PipelineTrigger]:
    """The triggers of `project`, in the order in which they were made."""
    query = select(PipelineTrigger).where(PipelineTrigger.project_id == project.id)
    return query.options(joinedload(PipelineTrigger.owner)).order_by(PipelineTrigger.id)


def find_trigger(core: Core, project: Project, trigger_id: int) -> PipelineTrigger:
    """The trigger of that id in `project`. Raises NotFound."""
    found = core.session.scalar(project_triggers(project).where(PipelineTrigger.id == trigger_id))
    if found is None:
        raise NotFound("Trigger")
    return found


def add_trigger(
    core: Core, project: Project, user: User, description: str, expires_at: datetime | None = None
) -> PipelineTrigger:
    """A new token that starts pipelines in the name of `user`. Raises InvalidRequest, NotAllowed, NotFound."""
    access.require(core, Action.ADMIN_TRIGGERS, user, project)
    _check(core, description, expires_at)
    project_id, user_id, token, now = project.id, user.id, crypto.new_token(PREFIX), core.now()
    with write(core.session):
        trigger = PipelineTrigger(
            project_id=project_id,
            owner_id=user_id,
            description=description,
            token_hash=crypto.token_hash(token),
            created_at=now,
            updated_at=now,
            expires_at=expires_at,
        )
        trigger.token_sealed = core.box.seal(token, trigger.seal_context)
        core.session.add(trigger)
        _note(core, Act.TRIGGER_CREATED, trigger)
    return trigger


def change_trigger(core: Core, trigger: PipelineTrigger, user: User, description: str | None) -> PipelineTrigger:
    """Describe `trigger` anew, which only its owner may. Raises NotAllowed, InvalidRequest."""
    if trigger.owner_id != user.id:
        raise NotAllowed("only the owner of a trigger may change it")
    if description is None:
        return trigger
    _check(core, description, None)
    trigger_id = trigger.id
    with write(core.session):
        held = core.session.get_one(PipelineTrigger, trigger_id)
        held.description, held.updated_at = description, core.now()
    return core.session.get_one(PipelineTrigger, trigger_id)


def remove_trigger(core: Core, trigger: PipelineTrigger) -> None:
    """From now on the token starts nothing."""
    trigger_id = trigger.id
    with write(core.session):
        found = core.session.get(PipelineTrigger, trigger_id)
        if found is not None:
            _note(core, Act.TRIGGER_REMOVED, found)
            core.session.delete(found)


def _note(core: Core, act: Act, trigger: PipelineTrigger) -> None:
    record(core, act, trigger.description, place=place_of(core, trigger.project_id, None))


def shown_token(core: Core, trigger: PipelineTrigger, user: User | None) -> str:
    """The whole token for its owner, its first characters for everyone else."""
    token = core.box.open(trigger.token_sealed, trigger.seal_context)
    is_owner = user is not None and trigger.owner_id == user.id
    return token if is_owner else token.removeprefix(PREFIX)[:SHORT]


def _check(core: Core, description: str, expires_at: datetime | None) -> None:
    if not description.strip():
        raise InvalidRequest("can't be blank", "description")
    if len(description) > MAX_DESCRIPTION:
        raise InvalidRequest(f"is too long (maximum is {MAX_DESCRIPTION} characters)", "description")
    if expires_at is not None and expires_at <= core.now():
        raise InvalidRequest("must be in the future", "expires_at")
