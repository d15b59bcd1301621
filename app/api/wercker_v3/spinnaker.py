"""What Spinnaker's Igor asked Wercker for: applications with their pipelines, and what they ran since a moment."""

from datetime import UTC, datetime
from typing import Any

from flask import request

from app.api.wercker_v3 import lookup
from app.api.wercker_v3.endpoint import Call, Routes
from app.api.wercker_v3.entities import applications as applications_of
from app.api.wercker_v3.entities.common import id_of
from app.api.wercker_v3.entities.owners import owner
from app.api.wercker_v3.entities.pipelines import pipeline
from app.api.wercker_v3.entities.runs import summaries
from app.api.wercker_v3.errors import detail, invalid
from app.api.wercker_v3.params import Kind, Param
from app.domain.permissions import Action
from app.models import PipelineDefinition, Project
from app.services import access
from app.services.projects.search_projects import ProjectFilter, projects
from app.services.runs.recent_runs import definitions_of, recent_runs

routes = Routes()
#: Igor asks for 300.
LIMIT = Param("limit", Kind.INTEGER, low=1, high=300, default=20)
MOST_PIPELINES = 100
#: The last moment that a datetime holds, in milliseconds.
_LAST_MOMENT = 253_402_300_799_999


@routes.get("/applications", params=(LIMIT,), everyone=True)
def list_spinnaker_applications(call: Call) -> list[dict[str, Any]]:
    """List the applications that the caller has a part in, or for nobody in particular the public ones"""
    wanted = ProjectFilter(membership=call.user is not None, order_by="path", sort="asc")
    rows = call.core.session.scalars(projects(call.core, call.user, wanted).limit(call.params["limit"])).all()
    readable = [row for row in rows if access.may(call.core, Action.READ_PIPELINE, call.user, row)]
    definitions = definitions_of(call.core, [row.id for row in readable])
    return [
        applications_of.summary(call.core, row)
        | {"pipelines": [pipeline(call.core, each, row) for each in definitions[row.id]]}
        for row in readable
    ]


@routes.get(
    "/runs",
    params=(
        Param("pipelineIds", required=True),
        Param("branch"),
        Param("since", Kind.INTEGER, high=_LAST_MOMENT),
        LIMIT,
    ),
    everyone=True,
)
def list_spinnaker_runs(call: Call) -> list[dict[str, Any]]:
    """List the newest runs of some pipelines, begun no earlier than `since` (milliseconds)"""
    since = call.params.get("since")
    moment = None if since is None else datetime.fromtimestamp(since / 1000, UTC)
    query = recent_runs(_definitions(call), call.params.get("branch"), moment)
    rows = call.core.session.scalars(query.limit(call.params["limit"])).all()
    shown = summaries(call.core, rows)
    return [run | {"application": _application(row.project)} for run, row in zip(shown, rows, strict=True)]


def _definitions(call: Call) -> list[PipelineDefinition]:
    """Those that the query names: `pipelineIds` once for each, or with commas between them."""
    named = [text for given in request.args.getlist("pipelineIds") for text in given.split(",") if text]
    if len(named) > MOST_PIPELINES:
        problem = f"must contain less than or equal to {MOST_PIPELINES} items"
        raise invalid([detail("pipelineIds", "array.max", problem, limit=MOST_PIPELINES)])
    return [lookup.definition(call, text, Action.READ_PIPELINE) for text in dict.fromkeys(named)]


def _application(project: Project) -> dict[str, Any]:
    return {"id": id_of(project), "name": project.path, "owner": owner(project.group)}
