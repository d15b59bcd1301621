"""Who may do what to a schedule: it acts in its owner's name, so only the owner says what it does."""

from app.domain.errors import NotAllowed
from app.domain.permissions import Action
from app.models import PipelineSchedule, User
from app.services import access
from app.services.core import Core
from app.services.repositories.protected_refs import may_act_on
from app.services.schedules.schedule_ref import split_ref


def may_update(core: Core, user: User | None, schedule: PipelineSchedule) -> bool:
    """Whether `user` may change what it does: its owner. An administrator may too."""
    return user is not None and (_owns(core, user, schedule) or (user.is_admin and not user.blocked))


def may_administer(core: Core, user: User | None, schedule: PipelineSchedule) -> bool:
    """Whether `user` may see its variables, take it over and remove it: its owner, and maintainers."""
    if user is None:
        return False
    return _owns(core, user, schedule) or access.may(core, Action.ADMIN_SCHEDULES, user, schedule.project)


def may_play(core: Core, user: User | None, schedule: PipelineSchedule) -> bool:
    """Whether `user` may run it now: who may run pipelines of its ref."""
    name, tag = split_ref(schedule.ref)
    may_run = access.may(core, Action.CREATE_PIPELINE, user, schedule.project)
    return may_run and may_act_on(core, user, schedule.project, name, tag)


def require_update(core: Core, user: User | None, schedule: PipelineSchedule) -> None:
    """Raises NotAllowed."""
    if not may_update(core, user, schedule):
        raise NotAllowed("only the owner of a schedule may change it")


def require_administer(core: Core, user: User | None, schedule: PipelineSchedule) -> None:
    """Raises NotAllowed."""
    if not may_administer(core, user, schedule):
        raise NotAllowed("only the owner of a schedule and maintainers may do this")


def _owns(core: Core, user: User, schedule: PipelineSchedule) -> bool:
    owner = schedule.owner_id == user.id
    return owner and access.may(core, Action.CREATE_SCHEDULE, user, schedule.project)
