"""The list of a project's pipelines, newest first, by key and not by offset."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.domain.status import composite
from app.models import Job, Pipeline, Project
from app.services.core import Core
from app.services.key_pages import Cursor, cut
from app.services.runs.newest_runs import newest_runs
from app.services.runs.search_runs import own_names, parse_search

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

    Older than id `before`, or newer than `after`. Raises InvalidRequest as
    `search_runs.latest_run` does.
    """
    wanted, cursor = parse_search(search), Cursor(before, after)
    also = [*own_names(project, wanted)]
    also += [Pipeline.ref == ref] if ref else []
    also += [Pipeline.status == status] if status else []
    only = select(Project.id).where(Project.id == project.id)
    return listed(core, newest_runs(core, only, wanted, cursor, limit + 1, *also), cursor, limit)


def listed(core: Core, ids: Sequence[int], cursor: Cursor, limit: int) -> PipelineList:
    """The page of what was found, by ids in the order of `key_pages.within`, of which one more than `limit` was asked
    for; loaded to be shown, each with its stages.
    """
    page = cut(ids, cursor, limit, lambda key: key)
    query = select(Pipeline).where(Pipeline.id.in_(page.rows))
    query = query.options(joinedload(Pipeline.user), joinedload(Pipeline.project))
    found = {pipeline.id: pipeline for pipeline in core.session.scalars(query)}
    return PipelineList(_rows(core, [found[key] for key in page.rows if key in found]), page.older, page.newer)


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
