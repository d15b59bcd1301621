"""Make, change, take over and remove schedules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from app.domain.audit import Act
from app.domain.errors import InvalidRequest, NotFound
from app.domain.permissions import Action
from app.models import PipelineSchedule, Project, User, write
from app.services import access
from app.services.audit.record import record
from app.services.core import Core
from app.services.pipelines.create_pipeline import require_may_run
from app.services.pipelines.pipeline_request import MAX_INPUTS
from app.services.schedules.cron import next_run
from app.services.schedules.schedule_ref import full_ref, split_ref
from app.services.schedules.schedule_rights import require_administer, require_update

MAX_TEXT = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wants a schedule to be; what is None stays as it is.

    `inputs` are [{name, value}], or {name, destroy: True} for one that goes; those not named stay.
    """

    description: str | None = None
    ref: str | None = None
    cron: str | None = None
    cron_timezone: str | None = None
    active: bool | None = None
    inputs: Sequence[Mapping[str, Any]] | None = None


def create_schedule(core: Core, project: Project, user: User, draft: Draft) -> PipelineSchedule:
    """A new schedule of `user`; description, ref and cron have to be given. Raises NotAllowed, InvalidRequest."""
    access.require(core, Action.CREATE_SCHEDULE, user, project)
    blank: dict[str, Any] = {"cron_timezone": "UTC", "active": True, "inputs": []}
    values = blank | _checked(core, project, user, draft, [])
    if missing := [name for name in ("description", "ref", "cron") if name not in values]:
        raise InvalidRequest("can't be blank", missing[0])
    project_id, user_id, now = project.id, user.id, core.now()
    values["next_run_at"] = next_run(values["cron"], values["cron_timezone"], now)
    with write(core.session):
        schedule = PipelineSchedule(
            project_id=project_id, owner_id=user_id, created_at=now, updated_at=now, last_error=None, **values
        )
        core.session.add(schedule)
        _note(core, Act.SCHEDULE_CREATED, schedule)
    return schedule


def update_schedule(core: Core, schedule: PipelineSchedule, user: User, draft: Draft) -> PipelineSchedule:
    """Change what `draft` says; it is due anew from now on. Raises NotAllowed, NotFound, InvalidRequest."""
    require_update(core, user, schedule)
    values = _checked(core, schedule.project, user, draft, schedule.inputs)
    schedule_id, now = schedule.id, core.now()
    with write(core.session):
        held = lock_schedule(core, schedule_id)
        starts = values.get("active") and not held.active
        for name, value in values.items():
            setattr(held, name, value)
        if starts or "cron" in values or "cron_timezone" in values:
            held.next_run_at = next_run(held.cron, held.cron_timezone, now)
        if values:
            held.updated_at, held.last_error = now, None
            _note(core, Act.SCHEDULE_CHANGED, held, sorted(values))
    return held


def take_ownership(core: Core, schedule: PipelineSchedule, user: User) -> bool:
    """Make `user` the owner. False where they were already. Raises NotAllowed, NotFound."""
    require_administer(core, user, schedule)
    schedule_id, user_id = schedule.id, user.id
    with write(core.session):
        held = lock_schedule(core, schedule_id)
        if held.owner_id == user_id:
            return False
        held.owner_id, held.updated_at = user_id, core.now()
        _note(core, Act.SCHEDULE_CHANGED, held, ["owner"])
    return True


def delete_schedule(core: Core, schedule: PipelineSchedule, user: User) -> None:
    """Remove it; its pipelines stay. Raises NotAllowed."""
    require_administer(core, user, schedule)
    schedule_id = schedule.id
    with write(core.session):
        held = core.session.get(PipelineSchedule, schedule_id)
        if held is not None:
            _note(core, Act.SCHEDULE_REMOVED, held)
            core.session.delete(held)


def _note(core: Core, act: Act, schedule: PipelineSchedule, changed: Sequence[str] = ()) -> None:
    project = core.session.get_one(Project, schedule.project_id)
    record(core, act, schedule.description, place=project, details={"changed": list(changed)} if changed else None)


def lock_schedule(core: Core, schedule_id: int) -> PipelineSchedule:
    """*In a write*: the schedule as it is now, held. A project is held before its schedules. Raises NotFound."""
    schedule = core.session.get(
        PipelineSchedule, schedule_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if schedule is None:
        raise NotFound("Pipeline Schedule")
    return schedule


def _checked(
    core: Core, project: Project, user: User, draft: Draft, inputs: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The columns that `draft` sets. `inputs` are those that are there."""
    values = {field.name: getattr(draft, field.name) for field in fields(draft)}
    values = {name: value for name, value in values.items() if value is not None}
    if "description" in values and not values["description"].strip():
        raise InvalidRequest("can't be blank", "description")
    if "ref" in values:
        values["ref"] = full_ref(core, project, values["ref"])
        require_may_run(core, user, project, *split_ref(values["ref"]))
    if "cron" in values:
        values["cron"] = values["cron"].strip()
        next_run(values["cron"], "UTC", core.now())
    if "cron_timezone" in values:
        next_run("* * * * *", values["cron_timezone"], core.now())
    if "inputs" in values:
        values["inputs"] = _merged(inputs, values["inputs"])
    return values


def _merged(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = [item["name"] for item in new]
    if len(set(names)) < len(names):
        raise InvalidRequest("have duplicate values", "inputs")
    if any(not name or len(name) > MAX_TEXT for name in names):
        raise InvalidRequest(f"have a name that is blank or longer than {MAX_TEXT} characters", "inputs")
    merged = {item["name"]: item["value"] for item in old}
    for item in new:
        if item.get("destroy"):
            merged.pop(item["name"], None)
        else:
            merged[item["name"]] = item["value"]
    if len(merged) > MAX_INPUTS:
        raise InvalidRequest(f"exceeds the limit of {MAX_INPUTS}.", "inputs")
    return [{"name": name, "value": value} for name, value in merged.items()]
