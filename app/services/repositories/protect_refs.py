"""Protect branches and tags, by name or with `*`. Who may is asked before (`Action.ADMIN_PROJECT`)."""

from typing import Any

from sqlalchemy import Select, select

from app.domain.audit import Act
from app.domain.errors import AlreadyExists, InvalidRequest, NotFound
from app.domain.permissions import Role
from app.models import Project, ProtectedRef, write
from app.services.audit.record import changes, place_of, record
from app.services.core import Core

#: Who may push to a protected ref: nobody, developers, maintainers.
PUSH_ROLES = (0, int(Role.DEVELOPER), int(Role.MAINTAINER))
MAX_PATTERN = 255


def protected_refs(project: Project, kind: str, search: str = "") -> Select[ProtectedRef]:
    """The rules of `project` for branches or tags (`kind`), in the order made."""
    query = select(ProtectedRef).where(ProtectedRef.project_id == project.id, ProtectedRef.kind == kind)
    query = query.where(ProtectedRef.pattern.contains(search, autoescape=True)) if search else query
    return query.order_by(ProtectedRef.id)


def find_rule(core: Core, project: Project, kind: str, pattern: str) -> ProtectedRef:
    """The rule of exactly that name. Raises NotFound."""
    rule = core.session.scalar(protected_refs(project, kind).where(ProtectedRef.pattern == pattern))
    if rule is None:
        raise NotFound("")
    return rule


def protect(
    core: Core,
    project: Project,
    kind: str,
    pattern: str,
    *,
    push_role: int = int(Role.MAINTAINER),
    merge_role: int | None = None,
    allow_force_push: bool = False,
) -> ProtectedRef:
    """A new rule. Raises InvalidRequest, AlreadyExists."""
    if not pattern.strip() or len(pattern) > MAX_PATTERN or any(not letter.isprintable() for letter in pattern):
        raise InvalidRequest("is invalid", "name")
    project_id = project.id
    with write(core.session):
        if core.session.scalar(protected_refs(project, kind).where(ProtectedRef.pattern == pattern)) is not None:
            raise AlreadyExists(f"Protected {kind} '{pattern}' already exists", "name")
        rule = ProtectedRef(
            project_id=project_id,
            kind=kind,
            pattern=pattern,
            push_role=_checked(push_role),
            merge_role=None if merge_role is None else _checked(merge_role),
            allow_force_push=allow_force_push,
        )
        core.session.add(rule)
        _note(core, Act.REF_PROTECTED, rule, push_role=push_role)
    return rule


def change_rule(
    core: Core,
    rule: ProtectedRef,
    *,
    push_role: int | None = None,
    merge_role: int | None = None,
    allow_force_push: bool | None = None,
) -> ProtectedRef:
    """Change what is not None. Raises InvalidRequest, NotFound."""
    rule_id = rule.id
    with write(core.session):
        held = core.session.get(ProtectedRef, rule_id, with_for_update=True, populate_existing=True)
        if held is None:
            raise NotFound("")
        given = {"push_role": push_role, "merge_role": merge_role, "allow_force_push": allow_force_push}
        changed = changes(held, {name: value for name, value in given.items() if value is not None})
        held.push_role = held.push_role if push_role is None else _checked(push_role)
        held.merge_role = held.merge_role if merge_role is None else _checked(merge_role)
        held.allow_force_push = held.allow_force_push if allow_force_push is None else allow_force_push
        if changed:
            _note(core, Act.PROTECTION_CHANGED, held, **changed)
    return held


def unprotect(core: Core, rule: ProtectedRef) -> None:
    """Remove the rule; fine when it is gone already."""
    rule_id = rule.id
    with write(core.session):
        held = core.session.get(ProtectedRef, rule_id)
        if held is not None:
            _note(core, Act.REF_UNPROTECTED, held)
            core.session.delete(held)


def _note(core: Core, act: Act, rule: ProtectedRef, **details: Any) -> None:
    place = place_of(core, rule.project_id, None)
    record(core, act, f"{rule.kind} {rule.pattern}", place=place, details=details)


def _checked(role: int) -> int:
    if role not in PUSH_ROLES:
        raise InvalidRequest("is not one of 0, 30 and 40", "access_level")
    return role
