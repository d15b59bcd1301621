"""Who may act on a protected ref: what runs there sees protected variables, so it takes the right to push there."""

from app.domain.errors import NotAllowed
from app.domain.permissions import Action
from app.models import Pipeline, User
from app.services import access
from app.services.core import Core
from app.services.repositories.protected_refs import is_protected, may_act_on


def require_ref(core: Core, user: User | None, pipeline: Pipeline) -> None:
    """Raises NotAllowed where `user` may not run jobs of `pipeline`, which was made on a protected ref.

    Its jobs see protected variables whatever became of the ref's rules since: where none is left, the usual right to
    push to protected refs counts.
    """
    if not pipeline.protected:
        return
    project, ref = pipeline.project, pipeline.ref
    if is_protected(core, project, ref, pipeline.tag):
        allowed = may_act_on(core, user, project, ref, pipeline.tag)
    else:
        allowed = access.may(core, Action.PUSH_PROTECTED, user, project)
    if not allowed:
        raise NotAllowed(f"{ref} is protected, and your role does not allow to run its jobs")
