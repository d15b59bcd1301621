"""Schedules as they are looked at."""

from collections.abc import Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, undefer

from app.domain.errors import NotFound
from app.domain.plan import Variable
from app.models import Pipeline, PipelineSchedule, Project, ScheduleRun
from app.services.core import Core
from app.services.pipelines import search_pipelines
from app.services.pipelines.kept_variables import open_variables
from app.services.pipelines.search_pipelines import PipelineFilter

SCOPES = ("active", "inactive")


def schedules(project: Project, scope: str | None = None) -> Select[PipelineSchedule]:
    """The schedules of a project, in the order they were made; of one of SCOPES, where given."""
    query = select(PipelineSchedule).where(PipelineSchedule.project_id == project.id)
    if scope is not None:
        query = query.where(PipelineSchedule.active.is_(scope == "active"))
    return query.options(joinedload(PipelineSchedule.owner)).order_by(PipelineSchedule.id)


def find_schedule(core: Core, project: Project, schedule_id: int) -> PipelineSchedule:
    """The schedule of that id, with its owner. Raises NotFound."""
    query = schedules(project).where(PipelineSchedule.id == schedule_id).options(undefer("*"))
    schedule = core.session.scalar(query.execution_options(populate_existing=True))
    if schedule is None:
        raise NotFound("Pipeline Schedule")
    return schedule


def pipelines_of(schedule: PipelineSchedule, wanted: PipelineFilter) -> Select[Pipeline]:
    """The pipelines that came of `schedule`."""
    came = select(ScheduleRun.pipeline_id).where(ScheduleRun.schedule_id == schedule.id)
    return search_pipelines.pipelines(schedule.project, wanted).where(Pipeline.id.in_(came))


def last_pipelines(core: Core, found: Sequence[PipelineSchedule]) -> dict[int, Pipeline]:
    """The newest pipeline of each schedule, by the schedule's id; those that never ran are left out."""
    newest = (
        select(ScheduleRun.schedule_id, func.max(ScheduleRun.pipeline_id).label("pipeline_id"))
        .where(ScheduleRun.schedule_id.in_([schedule.id for schedule in found]))
        .group_by(ScheduleRun.schedule_id)
        .subquery()
    )
    rows = core.session.execute(
        select(newest.c.schedule_id, Pipeline).join(Pipeline, Pipeline.id == newest.c.pipeline_id)
    )
    return dict(iter(rows))


def variables_of(core: Core, schedule: PipelineSchedule) -> list[Variable]:
    """The variables that its pipelines get, opened."""
    return open_variables(core, schedule.variables_sealed, schedule.seal_context)


def inputs_of(schedule: PipelineSchedule) -> dict[str, object]:
    """The inputs that its pipelines get, by name."""
    return {item["name"]: item["value"] for item in schedule.inputs}
