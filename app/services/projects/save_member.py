"""Members of a project: list, add or change, remove. Who may is asked before (`Action.ADMIN_MEMBERS`)."""

from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from app.domain.audit import Act
from app.domain.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Role
from app.models import Group, Membership, Project, User, write
from app.services.access import group_chain, role_of
from app.services.audit.record import record
from app.services.core import Core
from app.services.projects.owners import is_owner

#: What a form offers, least first.
ROLES = (Role.GUEST, Role.REPORTER, Role.DEVELOPER, Role.MAINTAINER, Role.OWNER)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """`inherited_from` is the full path of the group that the role comes from, None for the project itself."""

    membership: Membership
    role: Role
    inherited_from: str | None


def list_members(core: Core, project: Project) -> list[MemberRow]:
    """All who have a role in `project`, own memberships before inherited ones."""
    groups = group_chain(core, project.group)
    query = (
        select(Membership, Group.full_path)
        .outerjoin(Group, Group.id == Membership.group_id)
        .join(Membership.user)
        .where(or_(Membership.project_id == project.id, Membership.group_id.in_(groups)))
        .order_by(Membership.group_id.is_not(None), func.lower(User.username))
        .options(joinedload(Membership.user))
    )
    return [MemberRow(row[0], Role(row[0].role), row[1]) for row in core.session.execute(query)]


def save_member(core: Core, project: Project, actor: User, username: str, role: int) -> Membership:
    """Give `username` the role in `project`; nobody gives more than they have.

    Raises InvalidRequest, NotAllowed, Conflict (the last owner).
    """
    if role not in tuple(ROLES):
        raise InvalidRequest("choose one of the roles", "role")
    project_id, actor_id = project.id, actor.id
    with write(core.session):
        fresh, giver = core.session.get_one(Project, project_id), core.session.get_one(User, actor_id)
        _require_rank(core, fresh, giver, role)
        user = core.session.scalar(select(User).where(func.lower(User.username) == username.strip().lower()))
        if user is None:
            raise InvalidRequest(f"there is no user {username.strip()!r}", "username")
        membership = core.session.scalar(
            select(Membership).where(Membership.user_id == user.id, Membership.project_id == project_id)
        )
        if membership is None:
            membership = Membership(user_id=user.id, project_id=project_id, role=role, created_at=core.now())
            core.session.add(membership)
            act, before = Act.MEMBER_ADDED, 0
        else:
            act, before = Act.MEMBER_CHANGED, membership.role
            _require_rank(core, fresh, giver, membership.role)
            _keep_an_owner(core, fresh, membership, role)
        membership.role = role
        record(core, act, user.username, place=fresh, actor=giver, details={"role": [before, role]})
    return membership


def remove_member(core: Core, project: Project, actor: User, membership_id: int) -> None:
    """Take the membership back. Raises NotFound, NotAllowed, Conflict (the last owner)."""
    project_id, actor_id = project.id, actor.id
    with write(core.session):
        fresh, giver = core.session.get_one(Project, project_id), core.session.get_one(User, actor_id)
        membership = core.session.get(Membership, membership_id)
        if membership is None or membership.project_id != project_id:
            raise NotFound("Member")
        if membership.user_id != actor_id:
            _require_rank(core, fresh, giver, membership.role)
        _keep_an_owner(core, fresh, membership, Role.NONE)
        name, details = membership.user.username, {"role": [membership.role, 0]}
        record(core, Act.MEMBER_REMOVED, name, place=fresh, actor=giver, details=details)
        core.session.delete(membership)


def _require_rank(core: Core, project: Project, actor: User, role: int) -> None:
    if not actor.is_admin and role_of(core, actor, project) < role:
        raise NotAllowed("nobody gives or takes a role above their own")


def _keep_an_owner(core: Core, project: Project, membership: Membership, new_role: int) -> None:
    if membership.role < Role.OWNER or new_role >= Role.OWNER:
        return
    others = select(func.count()).where(
        is_owner(core),
        Membership.id != membership.id,
        or_(Membership.project_id == project.id, Membership.group_id.in_(group_chain(core, project.group))),
    )
    if not core.session.scalar(others):
        raise Conflict("a project keeps at least one owner")
