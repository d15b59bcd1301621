"""Who may act on a protected ref: what runs there sees protected variables, so it takes the right to push there."""

from app.domain.errors import NotAllowed
from app.domain.permissions import Action
from app.models import Pipeline, User
from app.services import access
from app.services.core import Core
from app.services.protected_refs import is_protected, may_act_on


def require_ref(core: Core, user: User | None, pipeline: Pipeline) -> None:
    """Raises NotAllowed where `user` may not run jobs of the protected ref of `pipeline`.

    The jobs of a pipeline that was made on a protected ref see protected variables whatever became of the ref's rules
    since: where none is left, the usual right to push to protected refs counts.
    """
    allowed = may_act_on(core, user, pipeline.project, pipeline.ref, pipeline.tag)
    if pipeline.protected and not is_protected(core, pipeline.project, pipeline.ref, pipeline.tag):
        allowed = access.may(core, Action.PUSH_PROTECTED, user, pipeline.project)
    if not allowed:
        raise NotAllowed(f"{pipeline.ref} is protected, and your role does not allow to run its jobs")
