"""Which branches and tags are protected, and what that means for whoever wants to move them."""

from dataclasses import dataclass

from sqlalchemy import select

from app.domain import refs
from app.domain.permissions import Role
from app.models import Project, ProtectedRef, User
from app.services import access
from app.services.core import Core


@dataclass(frozen=True, slots=True)
class Protection:
    """What all rules that cover a ref say together: the most generous one counts. `push_role` None: nobody may push."""

    protected: bool
    push_role: Role | None = Role.DEVELOPER
    allow_force_push: bool = True


class Protections:
    """The rules of one project, read once."""

    def __init__(self, core: Core, project: Project) -> None:
        self._rules = core.session.scalars(select(ProtectedRef).where(ProtectedRef.project_id == project.id)).all()

    def of(self, kind: str, name: str) -> Protection:
        """The protection of the branch or tag (`kind`) called `name`."""
        rules = [rule for rule in self._rules if rule.kind == kind and refs.matches(rule.pattern, name)]
        if not rules:
            return Protection(protected=False)
        least = min((rule.push_role for rule in rules if rule.push_role), default=None)
        return Protection(True, Role(least) if least else None, any(rule.allow_force_push for rule in rules))


def is_protected(core: Core, project: Project, ref: str, tag: bool) -> bool:
    """Whether jobs of this branch or tag see protected variables and may go to runners for protected refs only."""
    return Protections(core, project).of("tag" if tag else "branch", ref).protected


def may_act_on(core: Core, user: User | None, project: Project, ref: str, tag: bool) -> bool:
    """Whether `user` may start pipelines and jobs of this ref, as far as its protection goes. What runs on a protected
    ref sees protected variables, so it takes the right to push there; where nobody may push, nobody may.
    """
    protection = Protections(core, project).of("tag" if tag else "branch", ref)
    return not protection.protected or may_push(core, user, project, protection)


def may_push(core: Core, user: User | None, project: Project, protection: Protection) -> bool:
    """Whether `user` may move a ref with this protection. Admins count as owners."""
    role = Role.OWNER if user and user.is_admin and not user.blocked else access.role_of(core, user, project)
    return protection.push_role is not None and role >= protection.push_role
