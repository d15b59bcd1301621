"""Pipeline schedules: lists, one, its pipelines; make, change, take over, run, remove (gitlab.md B.7)."""

from dataclasses import fields
from typing import Any

from flask import Response, jsonify

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities import pipelines as pipeline_entities
from app.api.gitlab_v4.entities import schedules as entities
from app.api.gitlab_v4.errors import BadParams
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Kind, Param
from app.api.gitlab_v4.preconditions import require_unmodified
from app.domain.errors import NotFound
from app.domain.permissions import Action
from app.domain.status import AVAILABLE
from app.models import PipelineSchedule
from app.services import access
from app.services.pipelines import search_pipelines
from app.services.pipelines.search_pipelines import PipelineFilter
from app.services.schedules import save_schedule, show_schedules
from app.services.schedules.run_schedules import play_schedule
from app.services.schedules.save_schedule import Draft
from app.services.schedules.schedule_rights import may_administer

routes = Routes()
LIST = "/projects/<id>/pipeline_schedules"
ONE = f"{LIST}/<schedule_id>"
INPUT = (Param("name", required=True), Param("value", Kind.VALUE))
CREATED = (
    Param("description", required=True),
    Param("ref", required=True, blank=False, help="A branch or tag, by its short or its full name"),
    Param("cron", required=True),
    Param("cron_timezone", default="UTC"),
    Param("active", Kind.BOOLEAN, default=True),
    Param("inputs", Kind.OBJECTS, fields=INPUT),
)
CHANGED = (
    Param("description"),
    Param("ref"),
    Param("cron"),
    Param("cron_timezone"),
    Param("active", Kind.BOOLEAN),
    Param("inputs", Kind.OBJECTS, fields=(*INPUT, Param("destroy", Kind.BOOLEAN)), help="Those not named stay"),
)
FILTERS = (
    Param("scope", values=search_pipelines.SCOPES),
    Param("status", values=AVAILABLE),
    Param("updated_after", Kind.TIME),
    Param("updated_before", Kind.TIME),
    Param("created_after", Kind.TIME),
    Param("created_before", Kind.TIME),
    Param("sort", values=("asc", "desc"), default="asc"),
)


def find(call: Call) -> PipelineSchedule:
    """The schedule that the caller may see. Raises NotFound."""
    project = call.project(Action.READ_PROJECT)
    if not access.may(call.core, Action.READ_SCHEDULES, call.user, project):
        raise NotFound("Pipeline Schedule")
    return show_schedules.find_schedule(call.core, project, call.params["schedule_id"])


def _shown(call: Call, schedule_id: int) -> dict[str, Any]:
    project = call.project(Action.READ_PROJECT)
    row = show_schedules.find_schedule(call.core, project, schedule_id)
    allowed = may_administer(call.core, call.user, row)
    variables = show_schedules.variables_of(call.core, row) if allowed else None
    last = show_schedules.last_pipelines(call.core, [row]).get(row.id)
    return entities.schedule_details(call.core, row, last, variables)


def _draft(call: Call) -> Draft:
    inputs = call.params.get("inputs")
    for index, item in enumerate(inputs or ()):
        if "value" not in item and not item.get("destroy"):
            raise BadParams(f"inputs[{index}][value] is missing")
    names = {field.name for field in fields(Draft)}
    return Draft(**{name: value for name, value in call.params.items() if name in names})


@routes.get(LIST, params=(Param("scope", values=show_schedules.SCOPES), *PAGED))
def list_pipeline_schedules(call: Call) -> Response:
    """List a project's schedules"""
    query = show_schedules.schedules(call.project(Action.READ_SCHEDULES), call.params.get("scope"))
    return by_number(call, query, lambda rows: [entities.schedule(call.core, row) for row in rows])


@routes.get(ONE)
def get_pipeline_schedule(call: Call) -> dict[str, Any]:
    """Get a schedule; its variables are shown to its owner and to maintainers"""
    return _shown(call, find(call).id)


@routes.get(f"{ONE}/pipelines", params=(*FILTERS, *PAGED))
def list_schedule_pipelines(call: Call) -> Response:
    """List the pipelines that came of a schedule, the oldest first"""
    row = find(call)
    names = {field.name for field in fields(PipelineFilter)}
    wanted = PipelineFilter(**{name: value for name, value in call.params.items() if name in names})
    return by_number(
        call,
        show_schedules.pipelines_of(row, wanted),
        lambda rows: [pipeline_entities.pipeline_basic(call.core, pipeline) for pipeline in rows],
    )


@routes.post(LIST, params=CREATED)
def create_pipeline_schedule(call: Call) -> dict[str, Any]:
    """Make a schedule, which runs in the caller's name"""
    project = call.project(Action.CREATE_SCHEDULE)
    made = save_schedule.create_schedule(call.core, project, call.signed_in, _draft(call))
    return _shown(call, made.id)


@routes.put(ONE, params=CHANGED)
def update_pipeline_schedule(call: Call) -> dict[str, Any]:
    """Change a schedule of one's own"""
    changed = save_schedule.update_schedule(call.core, find(call), call.signed_in, _draft(call))
    return _shown(call, changed.id)


@routes.delete(ONE)
def delete_pipeline_schedule(call: Call) -> None:
    """Remove a schedule; its pipelines stay"""
    row = find(call)
    save_schedule.require_administer(call.core, call.signed_in, row)
    require_unmodified(row.updated_at)
    save_schedule.delete_schedule(call.core, row, call.signed_in)


@routes.post(f"{ONE}/take_ownership")
def take_pipeline_schedule(call: Call) -> Response:
    """Become the owner of a schedule"""
    row = find(call)
    schedule_id, status = row.id, 201
    if not save_schedule.take_ownership(call.core, row, call.signed_in):
        status = 200
    response = jsonify(_shown(call, schedule_id))
    response.status_code = status
    return response


@routes.post(f"{ONE}/play")
def play_pipeline_schedule(call: Call) -> dict[str, Any]:
    """Run a schedule now, in the caller's name"""
    play_schedule(call.core, find(call), call.signed_in)
    return {"message": "201 Created"}
