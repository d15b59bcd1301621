"""A project by its bare name, as in the systems where a token belongs to one organisation."""

from sqlalchemy import func

from app.domain.errors import InvalidRequest, NotFound
from app.models import Project, User
from app.services.access import find_project, member_projects, visible_projects
from app.services.core import Core

#: So many are named where a name fits several.
_NAMED = 10


class AmbiguousName(InvalidRequest):
    """Several projects have this name; the message names them."""


def find_repository(core: Core, name: str, user: User) -> Project:
    """The project of that full path, or of that last part of a path (any case), that `user` may see.

    Projects in which `user` has a role come before those that others may see too. Raises NotFound, AmbiguousName.
    """
    if "/" in name:
        return find_project(core, name, user)
    wanted = func.lower(Project.path) == name.lower()
    for scope in (member_projects(core, user), visible_projects(core, user)):
        found = core.session.scalars(scope.where(wanted).order_by(Project.full_path).limit(_NAMED + 1)).all()
        if len(found) > 1:
            raise AmbiguousName(_which(name, [project.full_path for project in found]))
        if found:
            return found[0]
    raise NotFound("Repository")


def _which(name: str, paths: list[str]) -> str:
    named = ", ".join(paths[:_NAMED]) + (" and more" if len(paths) > _NAMED else "")
    return f"{name!r} is the name of several repositories: {named}. Say which, with %2F for the slash"
