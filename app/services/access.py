"""Who may do what: the roles that a user has, and the questions that every edge asks."""

from collections.abc import Callable, Iterable
from functools import cache, partial

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select, true

from app.domain.errors import NotAllowed, NotFound
from app.domain.permissions import Action, Role, allowed
from app.models import Group, Membership, Project, User
from app.services.core import Core

_above = select(Group.id, Group.parent_id).where(Group.id == bindparam("group_id")).cte("above", recursive=True)
_above = _above.union(select(Group.id, Group.parent_id).join(_above, Group.id == _above.c.parent_id))
_best_role = select(func.max(Membership.role)).where(
    Membership.user_id == bindparam("user_id"),
    or_(Membership.expires_at.is_(None), Membership.expires_at > bindparam("now")),
    or_(Membership.project_id == bindparam("project_id"), Membership.group_id.in_(select(_above.c.id))),
)


def group_chain(core: Core, group: Group | None) -> list[int]:
    """The ids of `group` and of all groups above it."""
    ids = []
    while group is not None:
        ids.append(group.id)
        group = core.session.get(Group, group.parent_id) if group.parent_id else None
    return ids


def role_of(core: Core, user: User | None, project: Project) -> Role:
    """The highest role of `user` in `project`: of its own membership or of one in a group above it. NONE for
    strangers.
    """
    if user is None or user.blocked:
        return Role.NONE
    places = {"project_id": project.id, "group_id": project.group_id}
    best = core.session.scalar(_best_role, {"user_id": user.id, "now": core.now()} | places)
    return Role(best or 0)


def may(core: Core, action: Action, user: User | None, project: Project) -> bool:
    """Whether `user` (None: anonymous) may do `action` in `project`."""
    return _rights(core, user, project)(action)


def _rights(core: Core, user: User | None, project: Project) -> Callable[[Action], bool]:
    """What answers which actions `user` may do in `project`. Their role is looked up once, and only where somebody
    without one may not do it: no role takes anything away.
    """
    signed_in = user is not None and not user.blocked
    admitted = partial(
        allowed,
        is_admin=signed_in and user is not None and user.is_admin,
        visibility=project.visibility,
        signed_in=signed_in,
        public_pipelines=project.public_jobs,
    )
    role = cache(lambda: role_of(core, user, project))
    return lambda action: admitted(action) or admitted(action, role=role())


def require(core: Core, action: Action, user: User | None, project: Project) -> None:
    """Raises NotFound where `user` may not know of the project, NotAllowed where they may not do `action`."""
    rights = _rights(core, user, project)
    if rights(action):
        return
    if not rights(Action.READ_PROJECT):
        raise NotFound("Project")
    raise NotAllowed(f"your role in {project.full_path} does not allow this")


def require_group(core: Core, user: User | None, group: Group, least: Role) -> None:
    """Raises NotFound where `user` may not know of the group, NotAllowed where their role in it is below `least`."""
    if user is not None and (user.is_admin or group.id in managed_groups(core, user, least)) and not user.blocked:
        return
    visible = visible_projects(core, user).where(Project.group_id == group.id).limit(1)
    if group.visibility == "public" or core.session.scalar(visible) is not None:
        raise NotAllowed(f"your role in {group.full_path} does not allow this")
    raise NotFound("Group")


def find_project(core: Core, reference: str | int, user: User | None, action: Action = Action.READ_PROJECT) -> Project:
    """The project of a numeric id or a full path (any case). Raises NotFound also where `user` may not see it,
    NotAllowed where they may, but may not do `action`.
    """
    text = str(reference)
    if text.isascii() and text.isdigit() and len(text) < 19:
        return _opened(core, core.session.get(Project, int(text)), user, action)
    return _opened(core, _project_at(core, text), user, action)


def find_project_at(core: Core, full_path: str, user: User | None) -> Project:
    """As `find_project`, by its full path alone: a group may be called 2024, and 2024 is no project then."""
    return _opened(core, _project_at(core, full_path), user, Action.READ_PROJECT)


def _project_at(core: Core, full_path: str) -> Project | None:
    return core.session.scalar(select(Project).where(func.lower(Project.full_path) == full_path.lower()))


def _opened(core: Core, found: Project | None, user: User | None, action: Action) -> Project:
    if found is None:
        raise NotFound("Project")
    rights = _rights(core, user, found)
    if not rights(Action.READ_PROJECT):
        raise NotFound("Project")
    if not rights(action):
        raise NotAllowed(f"your role in {found.full_path} does not allow this")
    return found


def visible_projects(core: Core, user: User | None) -> Select[Project]:
    """A select of all projects that `user` may see."""
    if user is None or user.blocked:
        return select(Project).where(Project.visibility == "public")
    if user.is_admin:
        return select(Project).where(true())
    return select(Project).where(
        or_(Project.visibility.in_(("public", "internal")), Project.id.in_(_own_projects(core, user)))
    )


def member_projects(core: Core, user: User) -> Select[Project]:
    """A select of the projects in which `user` has a role."""
    return select(Project).where(Project.id.in_(_own_projects(core, user)))


def managed_projects(core: Core, user: User, least: int) -> set[int]:
    """The ids of the projects in which `user` has at least the role `least`, of their own or by a group above."""
    groups = managed_groups(core, user, least)
    projects = set(
        core.session.scalars(
            select(Membership.project_id).where(*_live(core, user, least), Membership.project_id.is_not(None))
        )
    )
    if groups:
        projects.update(core.session.scalars(select(Project.id).where(Project.group_id.in_(groups))))
    return {project for project in projects if project is not None}


def managed_groups(core: Core, user: User, least: int) -> set[int]:
    """The ids of the groups in which `user` has at least the role `least`, of their own or by a group above."""
    mine = core.session.scalars(
        select(Membership.group_id).where(*_live(core, user, least), Membership.group_id.is_not(None))
    )
    return _below(core, {group for group in mine if group is not None})


def _live(core: Core, user: User, least: int) -> tuple[ColumnElement[bool], ...]:
    """What the memberships of `user` that count have in common."""
    unexpired = or_(Membership.expires_at.is_(None), Membership.expires_at > core.now())
    return (Membership.user_id == user.id, unexpired, Membership.role >= least)


def _own_projects(core: Core, user: User) -> Iterable[int]:
    return managed_projects(core, user, Role.GUEST)


def _below(core: Core, groups: set[int]) -> set[int]:
    """`groups` and all groups below them."""
    known, fresh = set(groups), set(groups)
    while fresh:
        fresh = set(core.session.scalars(select(Group.id).where(Group.parent_id.in_(fresh)))) - known
        known |= fresh
    return known
