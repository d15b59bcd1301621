"""Runs: list, one, start, abort."""

from typing import Any

from app.api.wercker_v3 import lookup, wording
from app.api.wercker_v3.endpoint import Call, Routes
from app.api.wercker_v3.entities import runs as entities
from app.api.wercker_v3.errors import detail, invalid
from app.api.wercker_v3.paging import paged
from app.api.wercker_v3.params import Kind, Param
from app.domain.object_ids import Kind as IdKind
from app.domain.object_ids import decode
from app.domain.permissions import Action
from app.domain.plan import Variable
from app.domain.variables import valid_key
from app.models import Pipeline, PipelineDefinition
from app.services.pipelines.cancel_pipeline import cancel_pipeline
from app.services.runs import pipeline_history
from app.services.runs.pipeline_history import History
from app.services.runs.start_definition import Order, run_definition

routes = Routes()
SORT = Param("sort", values=("creationDateAsc", "creationDateDesc"), default="creationDateDesc")
#: No pipeline has this key: what asks for it finds nothing.
_NOWHERE = 0
FILTERS = (
    Param("applicationId", Kind.ID),
    Param("pipelineId", Kind.ID),
    Param("status", values=wording.STATUSES),
    Param("result", values=wording.RESULTS),
    Param("branch"),
    Param("tag"),
    Param("commit"),
    Param("sourceRun", Kind.ID),
    Param("author"),
    SORT,
    *paged(20),
)
VARIABLES = Param(
    "envVars",
    Kind.OBJECTS,
    default=(),
    fields=(Param("key", required=True), Param("value", required=True, blank=True)),
)
TRIGGER = (
    Param("pipelineId", Kind.ID, required=True),
    Param("sourceRunId", Kind.ID),
    Param("branch"),
    Param("commitHash", needs="branch"),
    Param("message", blank=True),
    VARIABLES,
)


@routes.get("/runs", params=FILTERS, everyone=True)
def list_runs(call: Call) -> list[dict[str, Any]]:
    """List the runs of an application or a pipeline"""
    query = pipeline_history.pipelines(_history(call)).limit(call.params["limit"]).offset(call.params["skip"])
    return entities.summaries(call.core, call.core.session.scalars(query).all())


def _history(call: Call) -> History:
    given = call.params
    project_id, definition = _place(call)
    if "tag" in given and given.get("branch", given["tag"]) != given["tag"]:
        project_id = _NOWHERE  # the branch of a run of a tag is that tag
    statuses, begun = wording.statuses_of(given.get("status"), given.get("result"))
    return History(
        project_id=project_id,
        definition=definition,
        statuses=statuses,
        begun=begun,
        ref=given.get("tag", given.get("branch")),
        tag=True if "tag" in given else None,
        sha=given["commit"].lower() if "commit" in given else None,
        source_id=_source_id(given["sourceRun"]) if "sourceRun" in given else None,
        username=given.get("author"),
        oldest_first=given["sort"] == "creationDateAsc",
    )


def _place(call: Call) -> tuple[int, PipelineDefinition | None]:
    """The project, and the definition if the caller names one: of that project, else there is nothing to list."""
    application, pipeline = call.params.get("applicationId"), call.params.get("pipelineId")
    if application is None and pipeline is None:
        peers = "applicationId, pipelineId"
        raise invalid([detail("value", "object.missing", f"must contain at least one of {peers}", peers=peers)])
    definition = lookup.definition(call, pipeline, Action.READ_PIPELINE) if pipeline else None
    if application is None and definition is not None:
        return definition.project_id, definition
    project = lookup.project(call, application or "", Action.READ_PIPELINE)
    outside = definition is not None and definition.project_id != project.id
    return (_NOWHERE if outside else project.id), definition


def _source_id(text: str) -> int:
    found = decode(text)
    return found.key if found and found.kind == IdKind.PIPELINE else _NOWHERE


@routes.get("/runs/<run_id>", everyone=True)
def get_run(call: Call) -> dict[str, Any]:
    """Get a run"""
    return _detailed(call, lookup.pipeline(call, call.params["run_id"], Action.READ_PIPELINE))


@routes.post("/runs", params=TRIGGER)
def trigger_run(call: Call) -> dict[str, Any]:
    """Start a run of a pipeline"""
    given = call.params
    definition = lookup.definition(call, given["pipelineId"], Action.CREATE_PIPELINE)
    source = None
    if "sourceRunId" in given:
        source = lookup.pipeline(call, given["sourceRunId"], Action.READ_PIPELINE)
    order = Order(
        branch=given.get("branch"),
        commit=given.get("commitHash"),
        message=given.get("message") or (_chained(call, source, definition) if source else None),
        variables=_variables(given["envVars"]),
        source=source,
    )
    started = run_definition(call.core, definition, call.signed_in, order)
    return entities.created(call.core, _fresh(call, started), call.signed_in)


def _chained(call: Call, source: Pipeline, definition: PipelineDefinition) -> str:
    """What a run that follows another one says, where nobody says anything."""
    before = entities.definition_of(call.core, source)
    return f'Auto trigger from Pipeline "{before.name if before else ""}" to Pipeline "{definition.name}"'


def _variables(given: list[dict[str, str]]) -> list[Variable]:
    wrong = [
        detail(f"envVars.{index}.key", "string.regex.base", "fails to match the required pattern: /^[A-Za-z0-9_]+$/")
        for index, item in enumerate(given)
        if not valid_key(item["key"])
    ]
    if wrong:
        raise invalid(wrong)
    return [Variable(item["key"], item["value"], public=False) for item in given]


@routes.put("/runs/<run_id>/abort")
def abort_run(call: Call) -> dict[str, Any]:
    """Abort a run"""
    row = lookup.pipeline(call, call.params["run_id"], Action.UPDATE_PIPELINE)
    return _detailed(call, _fresh(call, cancel_pipeline(call.core, row, call.user)))


def _fresh(call: Call, row: Pipeline) -> Pipeline:
    """The row as it is now, with what its rendering needs."""
    return pipeline_history.reload(call.core, row)


def _detailed(call: Call, row: Pipeline) -> dict[str, Any]:
    source = pipeline_history.source_of(call.core, row)
    return entities.run(call.core, row, source, call.user)
