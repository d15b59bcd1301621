"""Whom a job shows its artifacts to beyond what the project says (`artifacts:access`, gitlab.md C.2).

Later jobs get them in any case: they are what the job was for.
"""

from collections.abc import Mapping
from typing import Any

from app.domain.errors import NotAllowed
from app.domain.permissions import Role
from app.models import Job, Project, User
from app.services import access
from app.services.core import Core

#: From the widest to the narrowest, each with the least role. None: nobody, administrators included.
_LEAST: dict[str, Role | None] = {
    "all": Role.NONE,
    "developer": Role.DEVELOPER,
    "maintainer": Role.MAINTAINER,
    "none": None,
}


def may_fetch(core: Core, job: Job, user: User | None) -> bool:
    """Whether `user`, who may read the project's artifacts, may fetch those of `job`. The narrowest word counts."""
    return _is_shown(core, job.plan, job.project, user)


def require_fetch(core: Core, job: Job, user: User | None) -> None:
    """Raises NotAllowed where `may_fetch` is False."""
    require_shown(core, job.plan, job.project, user)


def require_shown(core: Core, plan: Mapping[str, Any], project: Project, user: User | None) -> None:
    """As `require_fetch`, for the job of `project` that has this plan."""
    if not _is_shown(core, plan, project, user):
        raise NotAllowed("the job does not show its artifacts to you")


def _is_shown(core: Core, plan: Mapping[str, Any], project: Project, user: User | None) -> bool:
    words = {spec.get("access", "all") for spec in plan.get("artifacts", ())}
    least = [_LEAST.get(word) for word in words if word != "all"]
    if not least:
        return True
    if None in least or user is None or user.blocked:
        return False
    return user.is_admin or access.role_of(core, user, project) >= max(role for role in least if role is not None)
