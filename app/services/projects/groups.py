"""Groups: which there are, making, changing and removing them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, true

from app.domain.audit import Act
from app.domain.errors import AlreadyExists, Conflict, InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Role, Visibility
from app.models import Bot, Group, Membership, Project, User, write
from app.services import access
from app.services.accounts.place_tokens import remove_bots
from app.services.audit.record import changes as changed_columns
from app.services.audit.record import record
from app.services.core import Core
from app.services.projects.paths import MAX_PATH, MAX_SEGMENTS, RESERVED_GROUPS, check_segment

ORDERS = {"name": func.lower(Group.name), "path": Group.path, "id": Group.id}
#: What can be changed, by column.
SETTINGS = frozenset({"name", "description", "visibility"})
MAX_NAME, MAX_DESCRIPTION = 255, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFilter:
    """What to look for; None and False do not matter. `parent_id`: right below that one; `below`: at any depth."""

    search: str | None = None
    owned: bool = False
    min_access_level: int | None = None
    top_level_only: bool = False
    parent_id: int | None = None
    below: Group | None = None
    order_by: str = "name"
    sort: str = "asc"


def groups(core: Core, user: User | None, wanted: GroupFilter) -> Select[Group]:
    """The groups that `user` may see and that are `wanted`, in its order."""
    query = _visible(core, user)
    least = Role.OWNER if wanted.owned else (wanted.min_access_level or 0)
    if least:
        query = query.where(Group.id.in_(access.managed_groups(core, user, least) if user else []))
    if wanted.search:
        text = wanted.search.lower()
        named = func.lower(Group.name).contains(text, autoescape=True)
        query = query.where(or_(named, func.lower(Group.full_path).contains(text, autoescape=True)))
    if wanted.top_level_only:
        query = query.where(Group.parent_id.is_(None))
    if wanted.parent_id is not None:
        query = query.where(Group.parent_id == wanted.parent_id)
    if wanted.below is not None:
        query = query.where(groups_below(wanted.below))
    column = ORDERS[wanted.order_by]
    if wanted.sort == "desc":
        return query.order_by(column.desc(), Group.id.desc())
    return query.order_by(column.asc(), Group.id.asc())


def groups_below(group: Group) -> ColumnElement[bool]:
    """Whether a group lies in `group`, or in one below it."""
    return func.lower(Group.full_path).startswith(group.full_path.lower() + "/", autoescape=True)


def _visible(core: Core, user: User | None) -> Select[Group]:
    """Groups that are open to `user`, in which they have a role, or that hold a project of theirs."""
    if user is None or user.blocked:
        return select(Group).where(Group.visibility == Visibility.PUBLIC)
    if user.is_admin:
        return select(Group).where(true())
    mine = access.managed_groups(core, user, Role.GUEST)
    own = select(Project.group_id).join(Membership, Membership.project_id == Project.id)
    live = or_(Membership.expires_at.is_(None), Membership.expires_at > core.now())
    for group_id in set(core.session.scalars(own.where(Membership.user_id == user.id, live))) - mine:
        mine |= set(access.group_chain(core, core.session.get(Group, group_id)))
    open_to_all = Group.visibility.in_((Visibility.PUBLIC, Visibility.INTERNAL))
    return select(Group).where(or_(open_to_all, Group.id.in_(mine)))


def find_group(core: Core, reference: str | int, user: User | None, least: Role | None = None) -> Group:
    """The group of a numeric id or a full path (any case), in which `user` has the role `least` or a higher one.

    Raises NotFound also where they may not see it, NotAllowed where their role is too low.
    """
    text = str(reference)
    by_id = text.isascii() and text.isdigit() and len(text) < 19
    if not by_id:
        return find_group_at(core, text, user, least)
    return _required(core, core.session.scalar(_visible(core, user).where(Group.id == int(text))), user, least)


def find_group_at(core: Core, full_path: str, user: User | None, least: Role | None = None) -> Group:
    """As `find_group`, by its full path alone: a group may be called 2024."""
    same = func.lower(Group.full_path) == full_path.lower()
    return _required(core, core.session.scalar(_visible(core, user).where(same)), user, least)


def _required(core: Core, found: Group | None, user: User | None, least: Role | None) -> Group:
    if found is None:
        raise NotFound("Group")
    if least is not None:
        access.require_group(core, user, found, least)
    return found


def owns(core: Core, user: User, group: Group) -> bool:
    """Whether `user` may change `group` itself."""
    return not user.blocked and (user.is_admin or group.id in access.managed_groups(core, user, Role.OWNER))


def create_group(
    core: Core,
    user: User,
    *,
    name: str,
    path: str,
    parent: Group | None = None,
    description: str = "",
    visibility: str = "private",
) -> Group:
    """A new group, which belongs to `user`. Raises InvalidRequest, AlreadyExists, NotAllowed, NotFound."""
    if parent is not None:
        access.require_group(core, user, parent, Role.MAINTAINER)
    elif user.bot:
        raise NotAllowed("a bot stays in the project or group that it belongs to")
    _check({"name": name, "description": description, "visibility": visibility})
    check_segment(path, "path")
    if parent is None and path.lower() in RESERVED_GROUPS:
        raise InvalidRequest(f"{path!r} is a reserved name", "path")
    full_path = f"{parent.full_path}/{path}" if parent else path
    if len(full_path) > MAX_PATH or full_path.count("/") >= MAX_SEGMENTS - 1:
        raise InvalidRequest("is too long", "path")
    parent_id, user_id = parent.id if parent else None, user.id
    with write(core.session):
        for table in (Group, Project):
            if core.session.scalar(select(table.id).where(func.lower(table.full_path) == full_path.lower())):
                raise AlreadyExists("has already been taken", "path")
        made = Group(
            parent_id=parent_id,
            path=path,
            full_path=full_path,
            name=name,
            description=description,
            visibility=visibility,
            created_at=core.now(),
        )
        core.session.add(made)
        core.session.flush()
        owner = {"user_id": user_id, "group_id": made.id, "role": int(Role.OWNER), "created_at": core.now()}
        core.session.add(Membership(**owner))
        record(core, Act.GROUP_CREATED, full_path, place=made)
    return made


def edit_group(core: Core, group: Group, user: User, changes: Mapping[str, Any]) -> Group:
    """Set what `changes` name, any of SETTINGS. Raises InvalidRequest, NotAllowed, NotFound."""
    access.require_group(core, user, group, Role.OWNER)
    _check(changes)
    group_id = group.id
    with write(core.session):
        held = core.session.get_one(Group, group_id, with_for_update=True, populate_existing=True)
        values = {name: changes[name] for name in sorted(SETTINGS & set(changes))}
        changed = changed_columns(held, values)
        for name, value in values.items():
            setattr(held, name, value)
        if changed:
            record(core, Act.GROUP_CHANGED, held.full_path, place=held, details=changed)
    return held


def delete_group(core: Core, group: Group, user: User) -> None:
    """Remove a group that holds nothing any more. Raises Conflict, NotAllowed, NotFound."""
    access.require_group(core, user, group, Role.OWNER)
    group_id = group.id
    with write(core.session):
        inside = select(Project.id).where(Project.group_id == group_id).limit(1)
        below = select(Group.id).where(Group.parent_id == group_id).limit(1)
        if core.session.scalar(inside) is not None or core.session.scalar(below) is not None:
            raise Conflict("the group still holds projects or groups; remove those first")
        gone = core.session.get_one(Group, group_id)
        record(core, Act.GROUP_DELETED, gone.full_path)
        remove_bots(core, Bot.group_id == group_id)
        core.session.delete(gone)


def _check(given: Mapping[str, Any]) -> None:
    if not 1 <= len(given.get("name", "-").strip()) <= MAX_NAME:
        raise InvalidRequest("can't be blank, and has at most 255 characters", "name")
    if len(given.get("description") or "") > MAX_DESCRIPTION:
        raise InvalidRequest(f"is too long (maximum is {MAX_DESCRIPTION} characters)", "description")
    if given.get("visibility", "private") not in tuple(Visibility):
        raise InvalidRequest(f"is one of {', '.join(Visibility)}", "visibility")
