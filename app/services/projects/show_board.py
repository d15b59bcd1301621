"""The wall board: how the default branch of each project stands, as far as the visitor may know."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from app.domain.permissions import Action
from app.models import Pipeline, Project, User
from app.services import access
from app.services.core import Core

#: A wall shows no more, and a page with a thousand tiles helps nobody.
LIMIT = 60


@dataclass(frozen=True, slots=True)
class Tile:
    """One project, and the newest pipeline of its default branch, None where there is none yet."""

    project: Project
    pipeline: Pipeline | None


def show_board(core: Core, user: User | None, group: str = "") -> Sequence[Tile]:
    """Those whose pipelines `user` (None: everyone) may see, most recently active first; of `group` alone if given."""
    query = access.visible_projects(core, user).where(Project.archived.is_(False))
    if group:
        query = query.where(func.lower(Project.full_path).startswith(group.lower().strip("/") + "/", autoescape=True))
    found = core.session.scalars(query.order_by(Project.last_activity_at.desc(), Project.id.desc()).limit(LIMIT)).all()
    shown = [project for project in found if access.may(core, Action.READ_PIPELINE, user, project)]
    latest = _latest(core, [project.id for project in shown])
    return [Tile(project, latest.get(project.id)) for project in shown]


def _latest(core: Core, project_ids: list[int]) -> dict[int, Pipeline]:
    """One look into the index of refs a project."""
    newest = (
        select(Pipeline.id)
        .where(
            Pipeline.project_id == Project.id,
            Pipeline.ref == Project.default_branch,
            Pipeline.tag.is_(False),
            Pipeline.source != "parent_pipeline",
        )
        .order_by(Pipeline.id.desc())
        .limit(1)
        .correlate(Project)
        .scalar_subquery()
    )
    ids = [found for found in core.session.scalars(select(newest).where(Project.id.in_(project_ids))) if found]
    return {row.project_id: row for row in core.session.scalars(select(Pipeline).where(Pipeline.id.in_(ids)))}
