"""For CI monitors: cctray's XML of one pipeline of an application, at Wercker's old addresses (across_systems.md)."""

from xml.etree.ElementTree import Element, SubElement, tostring

from flask import Response

from app.api.wercker_v3 import lookup, wording
from app.api.wercker_v3.endpoint import Call, Routes
from app.domain import calculated_status as calculated
from app.domain import status
from app.domain.errors import NotFound
from app.domain.permissions import Action
from app.models import Pipeline, PipelineDefinition, Project
from app.services.pipelines.predefined import web_url
from app.services.runs import pipeline_history
from app.services.runs.definitions import defaults, definitions_of
from app.services.runs.pipeline_history import History

routes = Routes()
_LAST = {status.SUCCESS: "Success", status.FAILED: "Failure", status.CANCELED: "Exception"}
#: What failed by nobody's code: the runner or the server broke, or the configuration is wrong.
_EXCEPTIONS = frozenset(calculated.FAILURES) - {calculated.FAILURE}
_ASLEEP = frozenset({status.CREATED, status.MANUAL, status.SCHEDULED, status.WAITING_FOR_RESOURCE, status.PREPARING})


@routes.get("/applications/<application_id>/cc/build", everyone=True, basic=True)
def get_cctray_of_build(call: Call) -> Response:
    """Get the state of an application's own pipeline, for CI monitors"""
    project = lookup.project(call, call.params["application_id"], Action.READ_PIPELINE)
    return _xml(call, project, defaults(call.core, {project.id}).get(project.id), "build")


@routes.get("/applications/<application_id>/cc/deploytargets/<name>", everyone=True, basic=True)
def get_cctray_of_deploy_target(call: Call) -> Response:
    """Get the state of one of an application's pipelines, for CI monitors"""
    project = lookup.project(call, call.params["application_id"], Action.READ_PIPELINE)
    name = call.params["name"]
    named = definitions_of(project).where(PipelineDefinition.name == name)
    return _xml(call, project, call.core.session.scalar(named), name)


def _xml(call: Call, project: Project, definition: PipelineDefinition | None, name: str) -> Response:
    if definition is None:
        raise NotFound("Pipeline")
    latest, finished = (
        call.core.session.scalar(pipeline_history.pipelines(wanted).limit(1))
        for wanted in (
            History(project_id=project.id, definition=definition),
            History(project_id=project.id, definition=definition, statuses=frozenset(_LAST)),
        )
    )
    root = Element("Projects")
    entry = SubElement(root, "Project", name=f"{project.full_path} ({name})", webUrl=web_url(call.core, project))
    entry.set("activity", _activity(latest))
    entry.set("lastBuildStatus", _last_status(finished) if finished else "Unknown")
    if finished:
        entry.set("lastBuildLabel", str(finished.iid))
        ended = finished.finished_at or finished.updated_at
        entry.set("lastBuildTime", ended.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return Response(tostring(root, encoding="utf-8", xml_declaration=True), content_type="text/xml; charset=utf-8")


def _last_status(finished: Pipeline) -> str:
    broken = finished.status == status.FAILED and finished.calculated_status in _EXCEPTIONS
    return "Exception" if broken else _LAST[finished.status]


def _activity(latest: Pipeline | None) -> str:
    """What waits for other jobs or for a person sleeps; what is being canceled still works."""
    if latest is None or latest.status in _ASLEEP:
        return "Sleeping"
    done = latest.status in wording.FINISHED and latest.status != status.CANCELING
    return "Sleeping" if done else "Building"
