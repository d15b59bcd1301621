"""Pipelines: the list, one of them, its configuration."""

import json
from typing import Any

from flask import Blueprint, Response, jsonify

from app.api.candor import render
from app.api.candor.answers import json_body, word
from app.api.candor.callers import caller, inspected, used
from app.dialects import candor
from app.domain.errors import InvalidRequest, NotFound
from app.http.edge import core
from app.models import PipelineDefinition
from app.services.artifacts.archived_files import archived_files
from app.services.runs import assignees, definitions, show_runs

SHOWN_RUNS = 5


def add_routes(blueprint: Blueprint) -> None:
    blueprint.get("/api/pipelines")(list_pipelines)
    blueprint.get("/api/pipelines/<pipeline_id>")(show_pipeline)
    blueprint.get("/api/pipelines/<pipeline_id>/config")(show_configuration)
    blueprint.post("/api/pipelines/<pipeline_id>/config")(save_configuration)


def list_pipelines() -> Response:
    """Those that are public or assigned to the caller."""
    rows = assignees.visible_definitions(core(), caller())
    summaries = show_runs.summaries(core(), rows, render.FAILURES)
    return jsonify([render.listed(row, summaries[row.id]) for row in rows])


def show_pipeline(pipeline_id: str) -> Response:
    """One pipeline with the last five runs that have ended; the trigger and its parameters for assignees."""
    definition = inspected(pipeline_id)
    assigned = assignees.may_use(core(), definition, caller())
    runs = show_runs.ended_runs(core(), definition, SHOWN_RUNS)
    jobs = show_runs.jobs_of(core(), runs)
    configuration = _configuration(definition)
    return jsonify(
        assigned=assigned,
        id=definition.id,
        name=definitions.display_name(definition),
        running=show_runs.is_running(core(), definition),
        public=definition.public,
        lastRuns=[render.run(run, jobs[run.id], list(archived_files(core(), jobs[run.id]))) for run in runs],
        trigger=(definitions.token_of(core(), definition) if assigned else None) or "hidden",
        assignees=assignees.assignees(core(), definition),
        requiredParameters=list(configuration.get("parameters", {})) if configuration else [],
    )


def show_configuration(pipeline_id: str) -> Response:
    """The configuration, for assignees; 404 where it is not a plan of this kind."""
    configuration = _configuration(used(pipeline_id))
    return word(404) if configuration is None else jsonify(configuration)


def save_configuration(pipeline_id: str) -> Response:
    """Replace the stored configuration. `valid` false: it breaks the schema and was not saved.

    400 where the configuration lies in the project's repository.
    """
    definition = used(pipeline_id)
    if definition.stored_text is None or not _is_plan(definition.config_path):
        raise InvalidRequest("this configuration is not kept here")
    try:
        body = json_body()
        candor.read(body)
        definitions.save_text(core(), definition, json.dumps(body, indent=2, ensure_ascii=False))
    except (candor.Invalid, InvalidRequest):
        return jsonify(valid=False)
    return jsonify(valid=True)


def _is_plan(path: str | None) -> bool:
    return (path or "").rpartition("/")[2].lower() in candor.NAMES


def _configuration(definition: PipelineDefinition) -> dict[str, Any] | None:
    try:
        path, text = definitions.configuration_of(core(), definition)
        data: dict[str, Any] | None = candor.load(text) if _is_plan(path) else None
        candor.read(data)
    except (NotFound, candor.Unreadable, candor.Invalid):
        return None
    return data
