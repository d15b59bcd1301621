"""Who may act on a protected ref: what runs there sees protected variables, so it takes the right to push there."""

from app.domain.errors import NotAllowed
from app.models import Pipeline, User
from app.services.core import Core
from app.services.protected_refs import Protections, may_push


def require_ref(core: Core, user: User | None, pipeline: Pipeline) -> None:
    """Raises NotAllowed where `user` may not push to the protected ref of `pipeline`."""
    if not pipeline.protected:
        return
    protection = Protections(core, pipeline.project).of("tag" if pipeline.tag else "branch", pipeline.ref)
    if not may_push(core, user, pipeline.project, protection):
        raise NotAllowed(f"{pipeline.ref} is protected, and your role does not allow to run its jobs")
