"""The list of a project's pipelines, newest first, by key and not by offset."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.domain.status import composite
from app.models import Job, Pipeline, Project
from app.services.core import Core
from app.services.runs.search_runs import matching_runs

PAGE = 20


@dataclass(frozen=True, slots=True)
class StageSummary:
    """The name of a stage, its composite status, and how many jobs it has."""

    name: str
    status: str
    jobs: int


@dataclass(frozen=True, slots=True)
class PipelineRow:
    pipeline: Pipeline
    stages: list[StageSummary]


@dataclass(frozen=True, slots=True)
class PipelineList:
    """One page. `older` and `newer` are the ids to go on from (`before`, `after`), None where there is no more."""

    rows: list[PipelineRow]
    older: int | None
    newer: int | None


def show_pipelines(
    core: Core,
    project: Project,
    *,
    ref: str = "",
    status: str = "",
    search: str = "",
    before: int | None = None,
    after: int | None = None,
    limit: int = PAGE,
) -> PipelineList:
    """The pipelines of `project` that `search` finds (`domain.search`), with `ref` and `status` where given; children
    of others are left out.

    Older than id `before`, or newer than `after`. Raises InvalidRequest as `search_runs.latest_run` does.
    """
    query = matching_runs(core, project, search).options(joinedload(Pipeline.user))
    if ref:
        query = query.where(Pipeline.ref == ref)
    if status:
        query = query.where(Pipeline.status == status)
    if after is not None:
        query = query.where(Pipeline.id > after).order_by(Pipeline.id)
    else:
        query = query.order_by(Pipeline.id.desc())
    if before is not None:
        query = query.where(Pipeline.id < before)
    found = list(core.session.scalars(query.limit(limit + 1)))
    more, shown = len(found) > limit, found[:limit]
    if after is not None:
        shown.reverse()
    return PipelineList(
        rows=_rows(core, shown),
        older=shown[-1].id if shown and (more or after is not None) else None,
        newer=shown[0].id if shown and (before is not None or (after is not None and more)) else None,
    )


def _rows(core: Core, pipelines: Sequence[Pipeline]) -> list[PipelineRow]:
    jobs: dict[int, dict[tuple[int, str], list[tuple[str, bool]]]] = {pipeline.id: {} for pipeline in pipelines}
    query = select(Job.pipeline_id, Job.stage_index, Job.stage, Job.status, Job.allow_failure).where(
        Job.pipeline_id.in_(jobs), Job.retried.is_(False)
    )
    for row in core.session.execute(query):
        jobs[row.pipeline_id].setdefault((row.stage_index, row.stage), []).append((row.status, row.allow_failure))
    return [PipelineRow(pipeline, _stages(jobs[pipeline.id])) for pipeline in pipelines]


def _stages(jobs: dict[tuple[int, str], list[tuple[str, bool]]]) -> list[StageSummary]:
    return [
        StageSummary(name, composite(members) or "created", len(members)) for (_, name), members in sorted(jobs.items())
    ]
