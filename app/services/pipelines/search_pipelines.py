"""Which pipelines there are, and figures about one that come from its jobs."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased, joinedload
from sqlalchemy.orm.interfaces import ORMOption

from app.domain import plan_json, status
from app.domain.errors import NotFound
from app.domain.plan import Variable
from app.models import Job, Pipeline, Project, User
from app.services import access
from app.services.core import Core
from app.services.pipelines.pipeline_request import MERGE_REQUEST

LOADED: tuple[ORMOption, ...] = (joinedload(Pipeline.project), joinedload(Pipeline.user))
ORDERS = ("id", "status", "ref", "updated_at", "user_id")
SCOPES = ("running", "pending", "finished", "branches", "tags")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineFilter:
    """What to look for; a field that is None does not matter. `scope` is one of SCOPES, `order_by` one of ORDERS."""

    scope: str | None = None
    status: str | None = None
    ref: str | None = None
    sha: str | None = None
    name: str | None = None
    source: str | None = None
    username: str | None = None
    yaml_errors: bool | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    order_by: str = "id"
    sort: str = "desc"


def pipelines(project: Project, wanted: PipelineFilter) -> Select[Pipeline]:
    """The pipelines of `project` that are `wanted`, in its order. Child pipelines only when asked for by source."""
    query = select(Pipeline).where(Pipeline.project_id == project.id).options(*LOADED)
    query = _times(_scope(_words(query, wanted), project, wanted.scope), wanted)
    if wanted.source != "parent_pipeline":
        query = query.where(Pipeline.source != "parent_pipeline")
    if wanted.yaml_errors is not None:
        broken = Pipeline.yaml_errors.is_not(None)
        query = query.where(broken if wanted.yaml_errors else ~broken)
    column = getattr(Pipeline, wanted.order_by)
    ascending = wanted.sort == "asc"
    if wanted.order_by == "id" and not ascending:
        # Where they begin: PostgreSQL would rather go through the newest pipelines of all projects.
        others = aliased(Pipeline)
        newest = select(func.max(others.id)).where(others.project_id == project.id).scalar_subquery()
        query = query.where(Pipeline.id <= newest)
    return query.order_by(
        column.asc() if ascending else column.desc(), Pipeline.id.asc() if ascending else Pipeline.id.desc()
    )


def _words(query: Select[Pipeline], wanted: PipelineFilter) -> Select[Pipeline]:
    for name in ("status", "ref", "sha", "name", "source"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(getattr(Pipeline, name) == value)
    if wanted.username is not None:
        named = select(User.id).where(func.lower(User.username) == wanted.username.lower())
        query = query.where(Pipeline.user_id.in_(named))
    return query


def _scope(query: Select[Pipeline], project: Project, scope: str | None) -> Select[Pipeline]:
    """`branches` and `tags` are the newest pipeline of each; the others are sets of statuses."""
    if scope in ("branches", "tags"):
        newest = select(func.max(Pipeline.id)).where(
            Pipeline.project_id == project.id, Pipeline.tag.is_(scope == "tags")
        )
        return query.where(Pipeline.id.in_(newest.group_by(Pipeline.ref)))
    if scope == "finished":
        return query.where(Pipeline.status.in_(status.COMPLETED - {status.SKIPPED}))
    return query if scope is None else query.where(Pipeline.status == scope)


def _times(query: Select[Pipeline], wanted: PipelineFilter) -> Select[Pipeline]:
    for column in (Pipeline.updated_at, Pipeline.created_at):
        after, before = (getattr(wanted, f"{column.key.removesuffix('_at')}_{side}") for side in ("after", "before"))
        if after is not None:
            query = query.where(column > after)
        if before is not None:
            query = query.where(column < before)
    return query


def pipelines_of_user(core: Core, user: User) -> Select[Pipeline]:
    """The pipelines that `user` started, in projects that they may still see, the newest first."""
    seen = access.visible_projects(core, user).with_only_columns(Project.id)
    query = select(Pipeline).where(Pipeline.user_id == user.id, Pipeline.project_id.in_(seen))
    return query.where(Pipeline.source != "parent_pipeline").options(*LOADED).order_by(Pipeline.id.desc())


def find_pipeline(core: Core, project: Project, pipeline_id: int) -> Pipeline:
    """The pipeline of that id in `project`. Raises NotFound."""
    pipeline = core.session.scalar(
        select(Pipeline)
        .where(Pipeline.id == pipeline_id, Pipeline.project_id == project.id)
        .options(*LOADED)
        .execution_options(populate_existing=True)
    )
    if pipeline is None:
        raise NotFound("Pipeline")
    return pipeline


def latest_pipeline(core: Core, project: Project, ref: str | None = None) -> Pipeline | None:
    """The newest pipeline of `ref` (the default branch when None); those of merge requests from it are none of its."""
    wanted = pipelines(project, PipelineFilter(ref=ref or project.default_branch))
    return core.session.scalar(wanted.where(Pipeline.source != MERGE_REQUEST).limit(1))


def given_variables(core: Core, pipeline: Pipeline) -> list[Variable]:
    """The variables that somebody gave when `pipeline` was started."""
    if pipeline.variables_sealed is None:
        return []
    kept = json.loads(core.box.open(pipeline.variables_sealed, pipeline.seal_context))
    return [plan_json.from_json(Variable, item) for item in kept]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a pipeline: seconds in which a job ran, mean coverage in percent, whether an allowed failure happened."""

    duration: int | None
    coverage: float | None
    warnings: bool


def figures(core: Core, pipeline: Pipeline) -> Figures:
    """What the jobs of `pipeline` add up to, those that were retried left out."""
    rows = core.session.execute(
        select(Job.started_at, Job.finished_at, Job.coverage, Job.status, Job.allow_failure).where(
            Job.pipeline_id == pipeline.id, Job.retried.is_(False)
        )
    ).all()
    covered = [row.coverage for row in rows if row.coverage is not None]
    ran = [(row.started_at, row.finished_at or core.now()) for row in rows if row.started_at]
    return Figures(
        duration=int(busy_seconds(ran)) if ran else None,
        coverage=sum(covered) / len(covered) if covered else None,
        warnings=any(row.allow_failure and row.status in status.PASSED_WITH_WARNINGS for row in rows),
    )


def busy_seconds(intervals: Iterable[tuple[datetime, datetime]]) -> float:
    """For how long at least one of `intervals` lasted: overlaps count once, gaps not at all."""
    total, reached = 0.0, None
    for start, end in sorted(intervals):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            total += (end - begin).total_seconds()
        reached = end if reached is None else max(reached, end)
    return total
