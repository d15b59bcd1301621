"""Which projects a user sees, and which roles they have in many at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import joinedload

from app.domain.permissions import Role
from app.models import Group, Membership, Project, User
from app.services import access
from app.services.core import Core

#: What a list may be ordered by, and the column behind it.
ORDERS = {
    "id": Project.id,
    "name": Project.name,
    "path": Project.path,
    "created_at": Project.created_at,
    "updated_at": Project.last_activity_at,
    "last_activity_at": Project.last_activity_at,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFilter:
    """What to look for; None and False do not matter. `owned` and `membership` are about the user who asks.

    `group` is the full path of the group that a project lies in directly, in any case.
    """

    search: str | None = None
    group: str | None = None
    visibility: str | None = None
    owned: bool = False
    membership: bool = False
    archived: bool | None = None
    min_access_level: int | None = None
    id_after: int | None = None
    id_before: int | None = None
    order_by: str = "created_at"
    sort: str = "desc"


def projects(core: Core, user: User | None, wanted: ProjectFilter) -> Select[Project]:
    """The projects that `user` may see and that are `wanted`, in its order."""
    query = access.visible_projects(core, user).options(joinedload(Project.group))
    least = Role.OWNER if wanted.owned else (wanted.min_access_level or (Role.GUEST if wanted.membership else 0))
    if least:
        query = query.where(Project.id.in_(access.managed_projects(core, user, least) if user else []))
    if wanted.search:
        text = wanted.search.lower()
        query = query.where(
            or_(
                func.lower(Project.name).contains(text, autoescape=True),
                func.lower(Project.full_path).contains(text, autoescape=True),
            )
        )
    if wanted.group is not None:
        query = query.where(Project.group_id.in_(_group(wanted.group)))
    if wanted.visibility is not None:
        query = query.where(Project.visibility == wanted.visibility)
    if wanted.archived is not None:
        query = query.where(Project.archived.is_(wanted.archived))
    if wanted.id_after is not None:
        query = query.where(Project.id > wanted.id_after)
    if wanted.id_before is not None:
        query = query.where(Project.id < wanted.id_before)
    column = ORDERS[wanted.order_by]
    if wanted.sort == "asc":
        return query.order_by(column.asc(), Project.id.asc())
    return query.order_by(column.desc(), Project.id.desc())


def lies_below(group: Group) -> ColumnElement[bool]:
    """Whether a project lies in `group` or in one below it."""
    return func.lower(Project.full_path).startswith(group.full_path.lower() + "/", autoescape=True)


def _group(full_path: str) -> Select[int]:
    return select(Group.id).where(func.lower(Group.full_path) == full_path.lower())


@dataclass(frozen=True, slots=True)
class Roles:
    """A user's role by their own membership in a project, and by those in the groups above it. 0: none."""

    project: int = 0
    group: int = 0


def roles(core: Core, rows: Sequence[Project], user: User) -> dict[int, Roles]:
    """The roles of `user` in each of `rows`, by project id, in two queries."""
    live = or_(Membership.expires_at.is_(None), Membership.expires_at > core.now())
    mine = core.session.execute(
        select(Membership.project_id, Membership.group_id, Membership.role).where(Membership.user_id == user.id, live)
    ).all()
    direct = {row.project_id: row.role for row in mine if row.project_id}
    by_group = {row.group_id: row.role for row in mine if row.group_id}
    if not by_group:
        return {row.id: Roles(direct.get(row.id, 0)) for row in rows}
    paths = {group.full_path.lower(): group.id for group in _groups_above(core, rows)}
    return {
        row.id: Roles(
            direct.get(row.id, 0), max((by_group.get(paths.get(path, 0), 0) for path in _above(row)), default=0)
        )
        for row in rows
    }


def _above(project: Project) -> Iterable[str]:
    """The full paths of the groups above `project`, in lower case."""
    segments = project.full_path.lower().split("/")[:-1]
    return ("/".join(segments[:depth]) for depth in range(1, len(segments) + 1))


def _groups_above(core: Core, rows: Sequence[Project]) -> Iterable[Group]:
    paths = {path for row in rows for path in _above(row)}
    return core.session.scalars(select(Group).where(func.lower(Group.full_path).in_(paths)))
