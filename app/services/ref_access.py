"""Who may act on a protected ref: what runs there sees protected variables, so it takes the right to push there."""

from sqlalchemy import select

from app.domain import refs
from app.domain.errors import NotAllowed
from app.models import Pipeline, ProtectedRef, User
from app.services import access
from app.services.core import Core


def require_ref(core: Core, user: User | None, pipeline: Pipeline) -> None:
    """Raises NotAllowed where `user` may not push to the protected ref of `pipeline`."""
    if not pipeline.protected or (user is not None and user.is_admin and not user.blocked):
        return
    kind = "tag" if pipeline.tag else "branch"
    rules = core.session.scalars(
        select(ProtectedRef).where(ProtectedRef.project_id == pipeline.project_id, ProtectedRef.kind == kind)
    )
    roles = [rule.push_role for rule in rules if refs.matches(rule.pattern, pipeline.ref)]
    # The rules of a ref add up, as in GitLab: the most generous one counts. 0 is nobody's role.
    needed = min((role for role in roles if role), default=None)
    if roles and (needed is None or access.role_of(core, user, pipeline.project) < needed):
        raise NotAllowed(f"{pipeline.ref} is protected, and your role does not allow to run its jobs")
