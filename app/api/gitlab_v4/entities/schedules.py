"""Pipeline schedules and their variables."""

from collections.abc import Sequence
from typing import Any

from app.api.gitlab_v4.entities.common import iso
from app.api.gitlab_v4.entities.pipelines import pipeline_basic
from app.api.gitlab_v4.entities.users import user_basic
from app.domain.plan import Variable
from app.models import Pipeline, PipelineSchedule
from app.services.core import Core


def schedule(core: Core, row: PipelineSchedule) -> dict[str, Any]:
    """A schedule in a list."""
    return {
        "id": row.id,
        "description": row.description,
        "ref": row.ref,
        "cron": row.cron,
        "cron_timezone": row.cron_timezone,
        "next_run_at": iso(row.next_run_at),
        "active": row.active,
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
        "owner": user_basic(core, row.owner) if row.owner else None,
        "inputs": [{"name": item["name"], "value": item["value"]} for item in row.inputs],
    }


def schedule_details(
    core: Core, row: PipelineSchedule, last: Pipeline | None, variables: Sequence[Variable] | None
) -> dict[str, Any]:
    """A schedule by itself; `variables` None: the caller may not see them."""
    shown = schedule(core, row) | {"last_pipeline": pipeline_basic(core, last) if last else None}
    return shown if variables is None else shown | {"variables": [given_variable(item) for item in variables]}


def given_variable(item: Variable) -> dict[str, Any]:
    """A variable that was given to a pipeline or a schedule, not kept in settings."""
    kind = "file" if item.file else "env_var"
    return {"variable_type": kind, "key": item.key, "value": item.value, "raw": item.raw}
