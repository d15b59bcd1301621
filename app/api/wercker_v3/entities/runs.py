"""Runs: our pipelines."""

from collections.abc import Sequence
from typing import Any

from app.api.wercker_v3 import wording
from app.api.wercker_v3.entities.common import id_of, time, times, url
from app.api.wercker_v3.entities.owners import user
from app.api.wercker_v3.entities.pipelines import pipeline as definition_entity
from app.domain import status
from app.domain.permissions import Action
from app.models import Pipeline, PipelineDefinition, User
from app.services import access
from app.services.core import Core
from app.services.pipelines import search_pipelines
from app.services.runs.definitions import defaults
from app.services.runs.pipeline_history import Course, courses


def summaries(core: Core, rows: Sequence[Pipeline]) -> list[dict[str, Any]]:
    """The runs as a list shows them; as many queries for many as for one."""
    course, usual = courses(core, rows), defaults(core, {row.project_id for row in rows})
    return [_summary(core, row, course[row.id], row.definition or usual.get(row.project_id)) for row in rows]


def _summary(core: Core, row: Pipeline, course: Course, definition: PipelineDefinition | None) -> dict[str, Any]:
    identity = id_of(row)
    found: dict[str, Any] = {
        "id": identity,
        "url": url(core, "runs", identity),
        "branch": row.ref,
        "commitHash": row.sha,
        "createdAt": time(row.created_at),
        "message": message(row),
        "progress": wording.progress(row.status, course),
        "result": wording.result(row.status),
        "status": wording.run_status(row.status, course.begun),
        **times(startedAt=row.started_at, finishedAt=finished_at(row)),
    }
    if row.tag:
        found["tag"] = row.ref
    if row.user is not None:
        found["user"] = user(row.user)
    if definition is not None:
        found["pipeline"] = definition_entity(core, definition, row.project)
    return found


def message(row: Pipeline) -> str:
    """What whoever started it wrote, else the commit's message."""
    return row.message if row.message is not None else str(row.commit.get("message", ""))


def finished_at(row: Pipeline) -> Any:
    """When it ended: for one that is being canceled, when somebody asked for that."""
    return row.updated_at if row.status == status.CANCELING else row.finished_at


def created(core: Core, row: Pipeline, caller: User) -> dict[str, Any]:
    """A run as the answer to its trigger shows it."""
    return summaries(core, [row])[0] | _variables(core, row, caller)


def run(core: Core, row: Pipeline, source: Pipeline | None, caller: User | None) -> dict[str, Any]:
    """The detailed form. Its variables may be secrets: they are there for whoever could have given them."""
    shown = summaries(core, [row, source] if source else [row])
    found = shown[0] | _variables(core, row, caller) | {"commits": _commits(row)}
    return found | ({"sourceRun": shown[1]} if source else {})


def _variables(core: Core, row: Pipeline, caller: User | None) -> dict[str, Any]:
    if not access.may(core, Action.UPDATE_PIPELINE, caller, row.project):
        return {}
    given = search_pipelines.given_variables(core, row)
    return {"envVars": [{"key": variable.key, "value": variable.value} for variable in given]}


def _commits(row: Pipeline) -> list[dict[str, Any]]:
    """What a push brought, its newest commit. Runs that somebody started bring nothing."""
    if row.source != "push" or not row.commit:
        return []
    by = row.commit.get("author_name", "")
    return [{"_id": row.sha[:24], "commit": row.sha, "message": row.commit.get("message", ""), "by": by}]


def definition_of(core: Core, row: Pipeline) -> PipelineDefinition | None:
    """What the run is a run of: its project's default definition, where it names none."""
    return row.definition or defaults(core, {row.project_id}).get(row.project_id)
