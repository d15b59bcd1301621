"""Workflows: a run that nothing was the source of, with all that were chained to it."""

from collections.abc import Sequence
from typing import Any

from app.api.wercker_v3 import wording
from app.api.wercker_v3.entities.applications import application, scm
from app.api.wercker_v3.entities.common import id_of, time, times, url
from app.api.wercker_v3.entities.owners import user
from app.api.wercker_v3.entities.runs import message
from app.domain.object_ids import Kind, encode
from app.models import Pipeline, PipelineDefinition
from app.services.core import Core
from app.services.runs.definitions import defaults
from app.services.runs.pipeline_chains import members
from app.services.runs.pipeline_history import Course, courses, last_steps


def workflows(core: Core, roots: Sequence[Pipeline]) -> list[dict[str, Any]]:
    """The workflows that begin with `roots`; as many queries for many as for one."""
    chains = members(core, roots)
    everyone = [row for rows in chains.values() for row in rows]
    course, steps = courses(core, everyone), last_steps(core, everyone)
    usual = defaults(core, {row.project_id for row in everyone})
    items = {
        row.id: _item(row, row.definition or usual.get(row.project_id), course[row.id], steps.get(row.id))
        for row in everyone
    }
    for row in everyone:
        if row.source_pipeline_id in items:
            items[row.id]["parentItem"] = items[row.source_pipeline_id]["id"]
    return [_workflow(core, root, chains[root.id], [items[row.id] for row in chains[root.id]]) for root in roots]


def workflow(core: Core, root: Pipeline) -> dict[str, Any]:
    """The detailed form."""
    return workflows(core, [root])[0] | {"application": application(core, root.project)}


def _workflow(core: Core, root: Pipeline, rows: Sequence[Pipeline], items: list[dict[str, Any]]) -> dict[str, Any]:
    identity = encode(Kind.CHAIN, root.created_at, root.id)
    started = [row.started_at for row in rows if row.started_at]
    found: dict[str, Any] = {
        "id": identity,
        "url": url(core, "workflows", identity),
        "createdAt": time(root.created_at),
        "updatedAt": time(max(row.updated_at for row in rows)),
        "trigger": "git",
        "data": {"branch": root.ref, "commitHash": root.sha, "message": message(root), "scm": scm(core, root.project)},
        "items": items,
        **times(startedAt=min(started, default=None)),
    }
    return found | ({"user": user(root.user)} if root.user else {})


def _item(row: Pipeline, definition: PipelineDefinition | None, course: Course, step: str | None) -> dict[str, Any]:
    current, total = wording.position(course)
    data: dict[str, Any] = {"restricted": False, "currentStep": current, "runId": id_of(row)}
    if definition is not None:
        data |= {"targetName": definition.name, "pipelineId": id_of(definition)}
    if total:
        data["totalSteps"] = total
    if step is not None:
        data["stepName"] = step
    return {
        "id": encode(Kind.LINK, row.created_at, row.id),
        "type": "run",
        "status": wording.run_status(row.status, course.begun),
        "result": wording.result(row.status),
        "progress": wording.progress(row.status, course),
        "updatedAt": time(row.updated_at),
        "data": data,
    }
