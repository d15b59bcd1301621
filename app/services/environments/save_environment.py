"""Environments made, changed and removed by people. Who may is asked before (`Action.ADMIN_ENVIRONMENTS`)."""

from collections.abc import Mapping
from typing import Any

from app.domain import environments
from app.domain.errors import AlreadyExists, InvalidRequest, NotAllowed
from app.models import Environment, Project, write
from app.services.core import Core
from app.services.environments.find_environments import hold_environment
from app.services.environments.job_environment import by_name, usable_url

#: What may be set, besides the name, which never changes.
SETTINGS = ("external_url", "tier", "description")


def create_environment(core: Core, project: Project, name: str, settings: Mapping[str, Any]) -> Environment:
    """A new environment, available at once; `settings` are any of SETTINGS. Raises InvalidRequest, AlreadyExists."""
    if not name:
        raise InvalidRequest("can't be blank", "name")
    if len(name) > environments.MOST_CHARACTERS:
        raise InvalidRequest(f"is too long (maximum is {environments.MOST_CHARACTERS} characters)", "name")
    if not environments.is_valid_name(name):
        raise InvalidRequest(environments.NAME_RULE, "name")
    project_id, now = project.id, core.now()
    environment = Environment(
        project_id=project_id,
        name=name,
        slug=environments.slug(name),
        tier=environments.guess_tier(name),
        created_at=now,
        updated_at=now,
    )
    _apply(environment, settings)
    with write(core.session):
        if by_name(core, project_id, name) is not None:
            raise AlreadyExists("has already been taken", "name")
        core.session.add(environment)
    return environment


def change_environment(core: Core, environment: Environment, settings: Mapping[str, Any]) -> Environment:
    """Change what `settings` name. Raises InvalidRequest, NotFound."""
    environment_id = environment.id
    with write(core.session):
        held = hold_environment(core, environment_id)
        _apply(held, settings)
        held.updated_at = core.now()
    return held


def delete_environment(core: Core, environment: Environment) -> None:
    """Remove a stopped environment and its deployments. Raises NotAllowed while it is not stopped."""
    environment_id = environment.id
    with write(core.session):
        held = hold_environment(core, environment_id)
        if held.state != environments.STOPPED:
            raise NotAllowed("only a stopped environment can be removed")
        core.session.delete(held)


def _apply(environment: Environment, settings: Mapping[str, Any]) -> None:
    for name in SETTINGS:
        if name in settings:
            setattr(environment, name, settings[name] or None)
    url = settings.get("external_url")
    if url and usable_url(url) is None:
        raise InvalidRequest("is blocked: only http and https addresses of at most 255 characters", "external_url")
    if environment.tier is None:
        environment.tier = environments.guess_tier(environment.name)
