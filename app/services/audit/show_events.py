"""The audit log as people look through it: newest first, in pages by key."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, or_, select

from app.domain.audit import Act
from app.models import AuditEvent, Group, Project
from app.services.core import Core
from app.services.projects.groups import groups_below
from app.services.projects.search_projects import lies_below

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What to look for; empty does not matter. `subject`: how actions begin, such as `runner`; `actor`: a user's name
    in any case; `place`: the full path of a project, or of a group with all that is in it. `within` is such a project
    or group that is there now: nothing that another one of its name once did is found.
    """

    within: Project | Group | None = None
    subject: str = ""
    actor: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """`next_before` is the key before which the next page begins, None on the last."""

    events: Sequence[AuditEvent]
    next_before: int | None


def show_events(core: Core, wanted: AuditFilter, before: int | None = None, limit: int = PAGE) -> AuditPage:
    """One page of the events that are `wanted`, those older than the key `before`."""
    query = _filtered(select(AuditEvent), wanted).order_by(AuditEvent.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(AuditEvent.id < before)
    found = core.session.scalars(query).all()
    return AuditPage(found[:limit], found[limit - 1].id if len(found) > limit else None)


def subjects() -> list[str]:
    """What actions are about, in the order of `Act`."""
    return list(dict.fromkeys(act.partition(".")[0] for act in Act))


def _filtered(query: Select[AuditEvent], wanted: AuditFilter) -> Select[AuditEvent]:
    if isinstance(wanted.within, Project):
        query = query.where(AuditEvent.project_id == wanted.within.id)
    elif wanted.within is not None:
        groups = select(Group.id).where(or_(Group.id == wanted.within.id, groups_below(wanted.within)))
        projects = select(Project.id).where(lies_below(wanted.within))
        query = query.where(or_(AuditEvent.group_id.in_(groups), AuditEvent.project_id.in_(projects)))
    if wanted.subject:
        acts = [act.value for act in Act if act.partition(".")[0] == wanted.subject]
        query = query.where(AuditEvent.action.in_(acts))
    if wanted.actor:
        query = query.where(func.lower(AuditEvent.actor) == wanted.actor.lower())
    if wanted.place:
        path = func.lower(AuditEvent.place)
        at = wanted.place.lower().strip("/")
        query = query.where(or_(path == at, path.startswith(at + "/", autoescape=True)))
    return query
