"""Whom a job shows its artifacts to beyond what the project says (`artifacts:access`, gitlab.md C.2).

Later jobs get them in any case: they are what the job was for.
"""

from app.domain.errors import NotAllowed
from app.domain.permissions import Role
from app.models import Job, User
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
    words = {spec.get("access", "all") for spec in job.plan.get("artifacts", ())}
    least = [_LEAST.get(word) for word in words if word != "all"]
    if not least:
        return True
    if None in least or user is None or user.blocked:
        return False
    return user.is_admin or access.role_of(core, user, job.project) >= max(role for role in least if role is not None)


def require_fetch(core: Core, job: Job, user: User | None) -> None:
    """Raises NotAllowed where `may_fetch` is False."""
    if not may_fetch(core, job, user):
        raise NotAllowed("the job does not show its artifacts to you")
