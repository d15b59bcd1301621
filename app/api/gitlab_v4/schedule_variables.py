"""The variables of a pipeline schedule (gitlab.md B.7)."""

from typing import Any

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities.schedules import given_variable
from app.api.gitlab_v4.params import Param
from app.api.gitlab_v4.pipeline_schedules import ONE, find
from app.domain.plan import Variable
from app.services.schedules import schedule_variables
from app.services.schedules.schedule_rights import require_administer

routes = Routes()
LIST = f"{ONE}/variables"
KIND = Param("variable_type", values=("env_var", "file"))


@routes.get(f"{LIST}/<key>")
def get_schedule_variable(call: Call) -> dict[str, Any]:
    """Get a variable of a schedule"""
    schedule = find(call)
    require_administer(call.core, call.user, schedule)
    return given_variable(schedule_variables.find_variable(call.core, schedule, call.params["key"]))


@routes.post(LIST, params=(Param("key", required=True), Param("value", required=True), KIND))
def create_schedule_variable(call: Call) -> dict[str, Any]:
    """Give a schedule a variable"""
    file = call.params.get("variable_type") == "file"
    given = Variable(call.params["key"], call.params["value"], public=False, file=file)
    return given_variable(schedule_variables.add_variable(call.core, find(call), call.signed_in, given))


@routes.put(f"{LIST}/<key>", params=(Param("value"), KIND))
def update_schedule_variable(call: Call) -> dict[str, Any]:
    """Change a variable of a schedule"""
    kind = call.params.get("variable_type")
    changed = schedule_variables.change_variable(
        call.core,
        find(call),
        call.signed_in,
        call.params["key"],
        value=call.params.get("value"),
        file=None if kind is None else kind == "file",
    )
    return given_variable(changed)


@routes.delete(f"{LIST}/<key>", status=202)
def delete_schedule_variable(call: Call) -> dict[str, Any]:
    """Remove a variable of a schedule"""
    removed = schedule_variables.remove_variable(call.core, find(call), call.signed_in, call.params["key"])
    return given_variable(removed)
