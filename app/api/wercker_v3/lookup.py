"""From ids to rows that the caller may see. What they may not know of is answered as what does not exist."""

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.api.wercker_v3.endpoint import Call
from app.domain.errors import NotFound
from app.domain.object_ids import Kind, ObjectId, decode
from app.domain.permissions import Action
from app.models import Pipeline, PipelineDefinition, Project
from app.services import access
from app.services.runs.pipeline_history import LOADED


def parts(text: str, kind: Kind, what: str) -> ObjectId:
    """The id, taken apart. Raises NotFound(what) unless it is one of `kind`."""
    found = decode(text)
    if found is None or found.kind != kind:
        raise NotFound(what)
    return found


def project(call: Call, text: str, action: Action, what: str = "Application") -> Project:
    """The project of that id, in which the caller may do `action`. Raises NotFound(what), NotAllowed."""
    found = parts(text, Kind.PROJECT, what)
    row = call.core.session.get(Project, found.key, options=[joinedload(Project.group)])
    if row is None or not found.names(Kind.PROJECT, row.created_at):
        raise NotFound(what)
    return require(call, row, action, what)


def project_by_path(call: Call, action: Action) -> Project:
    """The project at `username`/`application`. Raises NotFound, NotAllowed."""
    path = f"{call.params['username']}/{call.params['application']}"
    try:
        row = access.find_project(call.core, path, call.user)
    except NotFound:
        raise NotFound("Application") from None
    return require(call, row, action, "Application")


def definition(call: Call, text: str, action: Action, what: str = "Pipeline") -> PipelineDefinition:
    """The definition of that id, in whose project the caller may do `action`. Raises NotFound(what), NotAllowed."""
    found = parts(text, Kind.DEFINITION, what)
    loaded = joinedload(PipelineDefinition.project).joinedload(Project.group)
    row = call.core.session.get(PipelineDefinition, found.key, options=[loaded])
    if row is None or not found.names(Kind.DEFINITION, row.created_at):
        raise NotFound(what)
    require(call, row.project, action, what)
    return row


def pipeline(call: Call, text: str, action: Action, kind: Kind = Kind.PIPELINE, what: str = "Run") -> Pipeline:
    """The pipeline of that id, in a project where the caller may do `action`. Raises NotFound(what), NotAllowed."""
    found = parts(text, kind, what)
    row = call.core.session.scalar(
        select(Pipeline).where(Pipeline.id == found.key).options(*LOADED).execution_options(populate_existing=True)
    )
    if row is None or not found.names(kind, row.created_at):
        raise NotFound(what)
    require(call, row.project, action, what)
    return row


def require(call: Call, row: Project, action: Action, what: str) -> Project:
    """`row`, when the caller may do `action` there. Raises NotFound(what), NotAllowed."""
    if not access.may(call.core, Action.READ_PROJECT, call.user, row):
        raise NotFound(what)
    access.require(call.core, action, call.user, row)
    return row
