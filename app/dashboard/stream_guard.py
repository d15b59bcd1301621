"""Whether the reader of a stream that has been open for a while may still read."""

from collections.abc import Callable

from flask_login import current_user

from app.dashboard.sign_in import user_of_session
from app.domain.permissions import Action
from app.http import session_of_visitor
from app.http.edge import core
from app.models import Project
from app.services import access


def still_allowed(project: Project, action: Action) -> Callable[[], bool]:
    """Asks the database again: the session's user, their role, and the project itself may have changed."""
    identity = current_user.get_id() if current_user.is_authenticated else None
    secret = session_of_visitor.secret()
    project_id = project.id

    def ask() -> bool:
        parts = core()
        user = user_of_session(identity, secret)
        found = parts.session.get(Project, project_id)
        if found is None or (identity is not None and user is None):
            return False
        return access.may(parts, action, user, found)

    return ask
