"""Whether somebody may give the pipelines of a project variables of their own."""

from collections.abc import Iterable

from app.domain.errors import InvalidRequest
from app.domain.permissions import Role
from app.domain.plan import Variable
from app.domain.variables_role import may_set_variables
from app.models import Project, User
from app.services import access
from app.services.core import Core

REFUSED = "Insufficient permissions to set pipeline variables"
#: What the server itself adds to a trigger's pipeline.
_NOT_GIVEN = frozenset({"TRIGGER_PAYLOAD"})


def may_give_variables(core: Core, user: User | None, project: Project) -> bool:
    """Whether `user` may. Administrators count as owners."""
    admin = user is not None and user.is_admin and not user.blocked
    role = Role.OWNER if admin else access.role_of(core, user, project)
    return may_set_variables(project.variables_role, role)


def require_variables(core: Core, user: User | None, project: Project, variables: Iterable[Variable]) -> None:
    """Raises InvalidRequest (field "base") in GitLab's words where `user` may not give these. None need no right."""
    given = any(variable.key not in _NOT_GIVEN for variable in variables)
    if given and not may_give_variables(core, user, project):
        raise InvalidRequest(REFUSED, "base")
