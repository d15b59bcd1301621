"""Which environments a project has."""

from collections.abc import Collection

from sqlalchemy import Select, select

from app.domain.errors import NotFound
from app.models import Environment, Project
from app.services.core import Core


def project_environments(
    project: Project, *, name: str | None = None, search: str | None = None, states: Collection[str] = ()
) -> Select[Environment]:
    """The environments of `project`, by name; those called `name`, or with `search` anywhere in their names."""
    query = select(Environment).where(Environment.project_id == project.id)
    if name is not None:
        query = query.where(Environment.name == name)
    if search:
        query = query.where(Environment.name.icontains(search, autoescape=True))
    if states:
        query = query.where(Environment.state.in_(states))
    return query.order_by(Environment.name, Environment.id)


def find_environment(core: Core, project: Project, environment_id: int) -> Environment:
    """Raises NotFound."""
    found = core.session.get(Environment, environment_id)
    if found is None or found.project_id != project.id:
        raise NotFound("Environment")
    return found


def hold_environment(core: Core, environment_id: int) -> Environment:
    """*In a write*: the environment as it is now, held. Raises NotFound."""
    held = core.session.get(Environment, environment_id, with_for_update={"key_share": True}, populate_existing=True)
    if held is None:
        raise NotFound("Environment")
    return held
