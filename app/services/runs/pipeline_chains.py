"""Chains: a pipeline that was started by itself, and all that were started from it, from those, and so on."""

from collections.abc import Sequence

from sqlalchemy import Select, select

from app.models import Pipeline, Project
from app.services.core import Core
from app.services.runs.pipeline_history import LOADED


def roots(project: Project, oldest_first: bool = False) -> Select[Pipeline]:
    """The pipelines of `project` at which chains begin, by age."""
    query = select(Pipeline).where(Pipeline.project_id == project.id, Pipeline.source_pipeline_id.is_(None))
    return query.options(*LOADED).order_by(Pipeline.id.asc() if oldest_first else Pipeline.id.desc())


def members(core: Core, rows: Sequence[Pipeline]) -> dict[int, list[Pipeline]]:
    """All pipelines of the chains that begin at `rows`, by the id of the root, oldest first; the root too."""
    start = select(Pipeline.id.label("id"), Pipeline.id.label("root"), Pipeline.project_id.label("project_id"))
    chain = start.where(Pipeline.id.in_([row.id for row in rows])).cte("chain", recursive=True)
    chain = chain.union_all(
        select(Pipeline.id, chain.c.root, Pipeline.project_id).join(
            chain, (Pipeline.source_pipeline_id == chain.c.id) & (Pipeline.project_id == chain.c.project_id)
        )
    )
    query = select(chain.c.root, Pipeline).join(Pipeline, Pipeline.id == chain.c.id).options(*LOADED)
    found: dict[int, list[Pipeline]] = {row.id: [] for row in rows}
    for root, pipeline in core.session.execute(query.order_by(Pipeline.id)):
        found[root].append(pipeline)
    return found
