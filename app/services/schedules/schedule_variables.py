"""The variables of a schedule: find, add, change, remove. They are kept sealed, as those of a pipeline."""

from dataclasses import replace

from app.domain.errors import AlreadyExists, InvalidRequest, LimitExceeded, NotAllowed, NotFound
from app.domain.plan import Variable
from app.models import PipelineSchedule, User, write
from app.services.core import Core
from app.services.pipelines.kept_variables import seal_variables
from app.services.pipelines.require_variables import may_give_variables
from app.services.projects.ci_variables import MAX_VALUE, require_key
from app.services.schedules.save_schedule import lock_schedule
from app.services.schedules.schedule_rights import require_administer, require_update
from app.services.schedules.show_schedules import variables_of

MAX_VARIABLES = 100


def find_variable(core: Core, schedule: PipelineSchedule, key: str) -> Variable:
    """Raises NotFound."""
    for variable in variables_of(core, schedule):
        if variable.key == key:
            return variable
    raise NotFound("Pipeline Schedule Variable")


def add_variable(core: Core, schedule: PipelineSchedule, user: User, variable: Variable) -> Variable:
    """Raises NotAllowed, InvalidRequest, AlreadyExists, LimitExceeded."""
    _require(core, user, schedule)
    check(variable)
    schedule_id = schedule.id
    with write(core.session):
        held = lock_schedule(core, schedule_id)
        kept = variables_of(core, held)
        if any(other.key == variable.key for other in kept):
            raise AlreadyExists(f"({variable.key}) has already been taken", "key")
        _keep(core, held, [*kept, variable])
    return variable


def change_variable(
    core: Core, schedule: PipelineSchedule, user: User, key: str, value: str | None, file: bool | None
) -> Variable:
    """Change what is not None. Raises NotAllowed, NotFound, InvalidRequest."""
    _require(core, user, schedule)
    schedule_id = schedule.id
    with write(core.session):
        held = lock_schedule(core, schedule_id)
        old = find_variable(core, held, key)
        new = replace(old, value=old.value if value is None else value, file=old.file if file is None else file)
        check(new)
        _keep(core, held, [new if other.key == key else other for other in variables_of(core, held)])
    return new


def remove_variable(core: Core, schedule: PipelineSchedule, user: User, key: str) -> Variable:
    """Remove it and return what it was. Raises NotAllowed, NotFound."""
    _require_setting(core, user, schedule)
    require_administer(core, user, schedule)
    schedule_id = schedule.id
    with write(core.session):
        held = lock_schedule(core, schedule_id)
        old = find_variable(core, held, key)
        _keep(core, held, [other for other in variables_of(core, held) if other.key != key])
    return old


def replace_variables(core: Core, schedule: PipelineSchedule, user: User, variables: list[Variable]) -> None:
    """All of them at once. Raises NotAllowed, InvalidRequest, LimitExceeded."""
    _require(core, user, schedule)
    for variable in variables:
        check(variable)
    schedule_id = schedule.id
    with write(core.session):
        _keep(core, lock_schedule(core, schedule_id), variables)


def check(variable: Variable) -> None:
    """Raises InvalidRequest."""
    require_key(variable.key)
    if len(variable.value) > MAX_VALUE:
        raise InvalidRequest(f"is too long (maximum is {MAX_VALUE} characters)", "value")


def _require(core: Core, user: User, schedule: PipelineSchedule) -> None:
    _require_setting(core, user, schedule)
    require_update(core, user, schedule)


def _require_setting(core: Core, user: User, schedule: PipelineSchedule) -> None:
    if not may_give_variables(core, user, schedule.project):
        raise NotAllowed("this project's settings do not let you set pipeline variables")


def _keep(core: Core, held: PipelineSchedule, variables: list[Variable]) -> None:
    if len(variables) > MAX_VARIABLES:
        raise LimitExceeded(f"A schedule has at most {MAX_VARIABLES} variables", MAX_VARIABLES)
    held.variables_sealed = seal_variables(core, variables, held.seal_context)
    held.updated_at = core.now()
