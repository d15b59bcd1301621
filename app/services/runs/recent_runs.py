"""What the pipelines of several projects ran of late."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Select, and_, false, or_, select

from app.models import Pipeline, PipelineDefinition
from app.services.core import Core
from app.services.runs.pipeline_history import LOADED, made_by


def definitions_of(core: Core, project_ids: Collection[int]) -> dict[int, list[PipelineDefinition]]:
    """The definitions of each project, the oldest first, by the project's id."""
    found: dict[int, list[PipelineDefinition]] = {project_id: [] for project_id in project_ids}
    query = select(PipelineDefinition).where(PipelineDefinition.project_id.in_(project_ids))
    for definition in core.session.scalars(query.order_by(PipelineDefinition.id)):
        found[definition.project_id].append(definition)
    return found


def recent_runs(
    definitions: Sequence[PipelineDefinition], ref: str | None = None, since: datetime | None = None
) -> Select[Pipeline]:
    """The pipelines of any of these definitions, the newest first. `since`: made no earlier."""
    mine = (and_(Pipeline.project_id == each.project_id, made_by(each)) for each in definitions)
    query = select(Pipeline).where(or_(false(), *mine)).options(*LOADED).order_by(Pipeline.id.desc())
    if ref is not None:
        query = query.where(Pipeline.ref == ref)
    return query if since is None else query.where(Pipeline.created_at >= since)
