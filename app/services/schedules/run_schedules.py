"""Run schedules: those that are due, and one at once.

A due schedule runs in these steps:
1. read the commit and compile its configuration, without a write;
2. in one write: hold the schedule, look whether it is still due at the moment that was read, set the next one, make the
   pipeline.
So every run happens once, whichever and however many servers look; what was due while no server ran happens once too.
"""

from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy import select

from app.domain.errors import InvalidRequest, NotAllowed, SkerryError
from app.models import Pipeline, PipelineSchedule, Project, ScheduleRun, User, write
from app.services.core import Core
from app.services.locks import lock_project
from app.services.pipelines.create_pipeline import insert_pipeline, require_may_run
from app.services.pipelines.pipeline_request import PipelineRequest
from app.services.pipelines.prepare_pipeline import Prepared, prepare_pipeline
from app.services.pipelines.request_for_ref import request_for_ref
from app.services.schedules.cron import next_run
from app.services.schedules.save_schedule import lock_schedule
from app.services.schedules.schedule_ref import split_ref
from app.services.schedules.schedule_rights import may_play
from app.services.schedules.show_schedules import inputs_of, variables_of

SOURCE = "schedule"
#: So many run before the loop looks after its other work.
BATCH = 50
NO_OWNER = "The owner of the schedule is blocked or gone. Somebody has to take it over, and switch it on again."
NOT_RUN = "Something unexpected went wrong in the server, and no pipeline was made. Its log says what."
_log = structlog.get_logger(__name__)


def run_due_schedules(core: Core) -> int:
    """Run every schedule that is due; return how many pipelines were made. For the background's loop."""
    core.session.rollback()  # see what is there now
    due = core.session.execute(
        select(PipelineSchedule.id, PipelineSchedule.next_run_at)
        .join(Project, Project.id == PipelineSchedule.project_id)
        .where(PipelineSchedule.active.is_(True), PipelineSchedule.next_run_at <= core.now())
        .where(Project.archived.is_(False))
        .order_by(PipelineSchedule.next_run_at, PipelineSchedule.id)
        .limit(BATCH)
    ).all()
    core.session.rollback()
    return sum(_run(core, schedule_id, moment) for schedule_id, moment in due)


def play_schedule(core: Core, schedule: PipelineSchedule, user: User) -> Pipeline:
    """Run it now in the name of `user`; when it is due next stays as it is. Raises NotAllowed, InvalidRequest."""
    if not may_play(core, user, schedule):
        raise NotAllowed("you may not run pipelines of the schedule's branch or tag")
    schedule_id = schedule.id
    prepared = prepare_pipeline(core, _request(core, schedule, user))
    if prepared.nothing_to_do:
        raise InvalidRequest(prepared.nothing_to_do, "base")
    with write(core.session):
        lock_project(core, prepared.request.project.id)
        lock_schedule(core, schedule_id)
        pipeline = _insert(core, schedule_id, prepared)
    if pipeline is None:
        raise InvalidRequest("The schedule asks for no pipeline", "base")
    return pipeline


def _run(core: Core, schedule_id: int, moment: datetime) -> int:
    """Run one schedule that was due at `moment`; return how many pipelines that made."""
    schedule = core.session.get(PipelineSchedule, schedule_id, populate_existing=True)
    if schedule is None or schedule.next_run_at != moment:
        return 0
    if schedule.owner is None or schedule.owner.blocked:
        return _settle(core, schedule_id, moment, problem=NO_OWNER, active=False)
    try:
        prepared = _prepare(core, schedule, schedule.owner)
        return _settle(core, schedule_id, moment, prepared, problem=prepared.nothing_to_do)
    except SkerryError as error:
        return _settle(core, schedule_id, moment, problem=str(error))
    except Exception:
        # One project that is broken must not hold up the others, nor be tried again every second.
        _log.exception("a schedule could not be run", schedule=schedule_id)
        core.session.rollback()
        return _settle(core, schedule_id, moment, problem=NOT_RUN)


def _prepare(core: Core, schedule: PipelineSchedule, owner: User) -> Prepared:
    # The rights of now, not those of the day it was made.
    require_may_run(core, owner, schedule.project, *split_ref(schedule.ref))
    return prepare_pipeline(core, _request(core, schedule, owner))


def _request(core: Core, schedule: PipelineSchedule, user: User) -> PipelineRequest:
    request = request_for_ref(
        core,
        schedule.project,
        schedule.ref,
        user,
        source=SOURCE,
        variables=variables_of(core, schedule),
        inputs=inputs_of(schedule),
        strict=False,
    )
    return replace(request, schedule_description=schedule.description)


def _settle(
    core: Core,
    schedule_id: int,
    moment: datetime,
    prepared: Prepared | None = None,
    problem: str | None = None,
    active: bool = True,
) -> int:
    """Write down how the run of `moment` went, unless another server did."""
    project_id = core.session.scalar(select(PipelineSchedule.project_id).where(PipelineSchedule.id == schedule_id))
    if project_id is None:
        return 0
    with write(core.session):
        lock_project(core, project_id)
        held = lock_schedule(core, schedule_id)
        if not held.active or held.next_run_at != moment:
            return 0
        held.last_error, held.active = problem, active
        try:
            held.next_run_at = next_run(held.cron, held.cron_timezone, core.now())
        except InvalidRequest:  # the system's time zones are others than on the day it was made
            held.last_error, held.active = f"There is no time zone {held.cron_timezone} any more.", False
        pipeline = _insert(core, schedule_id, prepared) if prepared else None
    _log.info("a schedule was due", schedule=schedule_id, problem=problem)
    return 1 if pipeline else 0


def _insert(core: Core, schedule_id: int, prepared: Prepared) -> Pipeline | None:
    """*In a write*: the rows of the pipeline, and where it came from."""
    pipeline = insert_pipeline(core, prepared)
    if pipeline is not None:
        core.session.add(ScheduleRun(pipeline_id=pipeline.id, schedule_id=schedule_id))
    return pipeline
