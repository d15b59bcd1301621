"""The list of projects, each with its latest pipeline."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.models import Pipeline, Project, User
from app.services.access import visible_projects
from app.services.core import Core

PAGE = 30


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project and its latest pipeline, None when it has none."""

    project: Project
    latest: Pipeline | None


@dataclass(frozen=True, slots=True)
class ProjectList:
    """One page by full path. `next_after` is where the next page begins, None on the last."""

    rows: list[ProjectRow]
    next_after: str | None


def show_projects(
    core: Core, user: User | None, *, search: str = "", group: str = "", after: str = "", limit: int = PAGE
) -> ProjectList:
    """The projects that `user` may see, by path: with `search` in it, below `group`, behind the path `after`."""
    path = func.lower(Project.full_path)
    query = visible_projects(core, user).where(Project.archived.is_(False)).order_by(path).limit(limit + 1)
    if search:
        query = query.where(path.contains(search.lower(), autoescape=True))
    if group:
        query = query.where(path.startswith(group.lower() + "/", autoescape=True))
    if after:
        query = query.where(path > after.lower())
    projects = list(core.session.scalars(query))
    more = projects[limit - 1].full_path if len(projects) > limit else None
    latest = latest_pipelines(core, [project.id for project in projects[:limit]])
    return ProjectList([ProjectRow(project, latest.get(project.id)) for project in projects[:limit]], more)


def latest_pipelines(core: Core, project_ids: list[int]) -> dict[int, Pipeline]:
    """The newest pipeline of each project that has one, no child pipeline; one look into the index a project."""
    newest = (
        select(Pipeline.id)
        .where(Pipeline.project_id == Project.id, Pipeline.source != "parent_pipeline")
        .order_by(Pipeline.id.desc())
        .limit(1)
        .correlate(Project)
        .scalar_subquery()
    )
    ids = [found for found in core.session.scalars(select(newest).where(Project.id.in_(project_ids))) if found]
    query = select(Pipeline).where(Pipeline.id.in_(ids)).options(joinedload(Pipeline.user))
    return {pipeline.project_id: pipeline for pipeline in core.session.scalars(query)}
