"""Members of a project or a group, by the id of their user: list, find, add, change, remove.

Who may is asked before (`Action.ADMIN_MEMBERS`, `access.require_group`); that nobody gives or takes a role above their
own, and that an owner is left, is seen to here.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import joinedload

from app.domain.audit import Act
from app.domain.errors import AlreadyExists, Conflict, InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Role
from app.models import Group, Membership, Project, User, write
from app.services import access
from app.services.audit.record import record
from app.services.core import Core
from app.services.projects.owners import is_owner
from app.services.projects.save_member import ROLES

Place = Project | Group


def members(place: Place, search: str = "", user_ids: Sequence[int] = ()) -> Select[Membership]:
    """The memberships of `place` itself, by name. `user_ids` empty: anybody's."""
    return _found(select(Membership).where(_here(place)), search, user_ids)


def all_members(core: Core, place: Place, search: str = "", user_ids: Sequence[int] = ()) -> list[Membership]:
    """Whoever has a role in `place`, by name, each once with their highest: of `place` or of a group above it."""
    group = place.group if isinstance(place, Project) else place
    above = Membership.group_id.in_(access.group_chain(core, group))
    query = _found(select(Membership).where(or_(_here(place), above)), search, user_ids)
    best: dict[int, Membership] = {}
    for row in core.session.scalars(query):
        if row.user_id not in best or best[row.user_id].role < row.role:
            best[row.user_id] = row
    return list(best.values())


def _here(place: Place) -> ColumnElement[bool]:
    return Membership.project_id == place.id if isinstance(place, Project) else Membership.group_id == place.id


def _found(query: Select[Membership], search: str, user_ids: Sequence[int]) -> Select[Membership]:
    query = query.join(Membership.user).options(joinedload(Membership.user))
    if search:
        text = search.lower()
        named = func.lower(User.username).contains(text, autoescape=True)
        query = query.where(or_(named, func.lower(User.name).contains(text, autoescape=True)))
    query = query.where(Membership.user_id.in_(user_ids)) if user_ids else query
    return query.order_by(func.lower(User.username), Membership.id)


def find_member(core: Core, place: Place, user_id: int) -> Membership:
    """The user's own membership in `place`. Raises NotFound."""
    found = core.session.scalar(members(place, user_ids=[user_id]))
    if found is None:
        raise NotFound("")
    return found


def add_member(
    core: Core, place: Place, actor: User, user_id: int, role: int, expires_at: datetime | None = None
) -> Membership:
    """Give the user a role in `place`. Raises InvalidRequest, NotFound("User"), NotAllowed, AlreadyExists."""
    _check(core, role, expires_at)
    again, actor_id = _again(place), actor.id
    with write(core.session):
        place, actor = again(core), core.session.get_one(User, actor_id)
        require_rank(core, place, actor, role)
        user = core.session.get(User, user_id)
        if user is None:
            raise NotFound("User")
        if core.session.scalar(members(place, user_ids=[user_id])) is not None:
            raise AlreadyExists("Member already exists")
        owner = {"project_id" if isinstance(place, Project) else "group_id": place.id}
        added = Membership(user_id=user_id, role=role, expires_at=expires_at, created_at=core.now(), **owner)
        core.session.add(added)
        record(core, Act.MEMBER_ADDED, user.username, place=place, actor=actor, details={"role": [0, role]})
    return added


def change_member(
    core: Core, place: Place, actor: User, user_id: int, role: int, expires_at: datetime | None = None
) -> Membership:
    """Give a member another role. Raises InvalidRequest, NotFound, NotAllowed, Conflict (the last owner)."""
    _check(core, role, expires_at)
    again, actor_id = _again(place), actor.id
    with write(core.session):
        place, actor = again(core), core.session.get_one(User, actor_id)
        held = find_member(core, place, user_id)
        require_rank(core, place, actor, max(role, held.role))
        _keep_an_owner(core, place, held, role)
        details = {"role": [held.role, role]}
        record(core, Act.MEMBER_CHANGED, held.user.username, place=place, actor=actor, details=details)
        held.role = role
        held.expires_at = expires_at or held.expires_at
    return held


def remove_member(core: Core, place: Place, actor: User, user_id: int) -> None:
    """Take the role back; everyone may give up their own. Raises NotFound, NotAllowed, Conflict (the last owner)."""
    again, actor_id = _again(place), actor.id
    with write(core.session):
        place, actor = again(core), core.session.get_one(User, actor_id)
        held = find_member(core, place, user_id)
        if user_id != actor_id:
            require_rank(core, place, actor, held.role)
        _keep_an_owner(core, place, held, Role.NONE)
        details = {"role": [held.role, 0]}
        record(core, Act.MEMBER_REMOVED, held.user.username, place=place, actor=actor, details=details)
        core.session.delete(held)


def _again(place: Place) -> Callable[[Core], Place]:
    """Reads `place` anew, within a write."""
    place_id = place.id
    if isinstance(place, Project):
        return lambda core: core.session.get_one(Project, place_id)
    return lambda core: core.session.get_one(Group, place_id)


def _check(core: Core, role: int, expires_at: datetime | None) -> None:
    if role not in tuple(ROLES):
        raise InvalidRequest("is not included in the list", "access_level")
    if expires_at is not None and expires_at <= core.now():
        raise InvalidRequest("cannot be a date in the past", "expires_at")


def _role_of(core: Core, user: User, place: Place) -> int:
    if isinstance(place, Project):
        return access.role_of(core, user, place)
    chain = access.group_chain(core, place)
    live = or_(Membership.expires_at.is_(None), Membership.expires_at > core.now())
    query = select(func.max(Membership.role)).where(Membership.user_id == user.id, Membership.group_id.in_(chain), live)
    return core.session.scalar(query) or 0


def require_rank(core: Core, place: Place, actor: User, role: int) -> None:
    if not actor.is_admin and _role_of(core, actor, place) < role:
        raise NotAllowed("nobody gives or takes a role above their own")


def _keep_an_owner(core: Core, place: Place, membership: Membership, new_role: int) -> None:
    if membership.role < Role.OWNER or new_role >= Role.OWNER:
        return
    group = place.group if isinstance(place, Project) else place
    above = Membership.group_id.in_(access.group_chain(core, group))
    others = select(func.count()).where(
        is_owner(core),
        Membership.id != membership.id,
        or_(_here(place), above),
    )
    if not core.session.scalar(others):
        raise Conflict("a project or group keeps at least one owner")
