"""The projects whose pipelines somebody may read, all at once: what `access.may` says of one."""

from sqlalchemy import Select, and_, or_, select

from app.domain.permissions import Role
from app.models import Project, User
from app.services import access
from app.services.core import Core


def readable_pipelines(core: Core, user: User | None) -> Select[int]:
    """A select of the ids of the projects, archived ones left out, in which `user` may READ_PIPELINE."""
    query = select(Project.id).where(Project.archived.is_(False))
    if user is None or user.blocked:
        return query.where(Project.visibility == "public", Project.public_jobs.is_(True))
    if user.is_admin:
        return query
    guests, reporters = (access.managed_projects(core, user, role) for role in (Role.GUEST, Role.REPORTER))
    seen = or_(Project.visibility.in_(("public", "internal")), Project.id.in_(guests))
    return query.where(or_(and_(Project.public_jobs.is_(True), seen), Project.id.in_(reporters)))
