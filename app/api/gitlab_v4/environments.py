"""A project's environments (gitlab.md B)."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import READERS_AND_JOBS, USERS_AND_JOBS, Call, Routes
from app.api.gitlab_v4.entities import environments as entities
from app.api.gitlab_v4.errors import BadParams, bad_request, forbidden
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Kind, Param
from app.domain import environments
from app.domain.permissions import Action
from app.models import Environment
from app.services.core import Core
from app.services.environments import find_environments, save_environment
from app.services.environments.deployments import last_deployments
from app.services.environments.stop_environment import stop_environment

routes = Routes()
_LEAST_SEARCH = 3
SETTINGS = (
    Param("external_url", help="Where it can be seen"),
    Param("tier", values=environments.TIERS),
    Param("description"),
)


def _found(call: Call, action: Action) -> Environment:
    project = call.project(action)
    return find_environments.find_environment(call.core, project, call.params["environment_id"])


def _shown(core: Core, row: Environment) -> dict[str, Any]:
    return entities.environment_detailed(core, row, last_deployments(core, [row.id]).get(row.id))


def _settings(call: Call) -> dict[str, Any]:
    return {name: call.params[name] for name in save_environment.SETTINGS if name in call.params}


@routes.get(
    "/projects/<id>/environments",
    params=(
        Param("name", help="The one of this name"),
        Param("search", help="Those with this anywhere in their names; three characters at least"),
        Param("states", help="available, stopping or stopped"),
        *PAGED,
    ),
    callers=READERS_AND_JOBS,
)
def list_environments(call: Call) -> Response:
    """List a project's environments"""
    project = call.project(Action.READ_ENVIRONMENTS)
    name, search, state = (call.params.get(key) for key in ("name", "search", "states"))
    if name and search:
        raise BadParams("name, search are mutually exclusive")
    if search and len(search) < _LEAST_SEARCH:
        raise bad_request(f"Search query is less than {_LEAST_SEARCH} characters")
    if state and state not in environments.STATES:
        raise bad_request("Requested states are invalid")
    states = (state,) if state else ()
    query = find_environments.project_environments(project, name=name, search=search, states=states)
    return by_number(call, query, lambda rows: [entities.environment(row) for row in rows])


@routes.get("/projects/<id>/environments/<environment_id>", callers=READERS_AND_JOBS)
def get_environment(call: Call) -> dict[str, Any]:
    """Get an environment, with its last deployment"""
    return _shown(call.core, _found(call, Action.READ_ENVIRONMENTS))


@routes.post("/projects/<id>/environments", params=(Param("name", required=True), *SETTINGS), callers=USERS_AND_JOBS)
def create_environment(call: Call) -> dict[str, Any]:
    """Make an environment"""
    project = call.project(Action.ADMIN_ENVIRONMENTS)
    made = save_environment.create_environment(call.core, project, call.params["name"], _settings(call))
    return _shown(call.core, made)


@routes.put("/projects/<id>/environments/<environment_id>", params=SETTINGS, callers=USERS_AND_JOBS)
def update_environment(call: Call) -> dict[str, Any]:
    """Change an environment"""
    found = _found(call, Action.ADMIN_ENVIRONMENTS)
    return _shown(call.core, save_environment.change_environment(call.core, found, _settings(call)))


@routes.delete("/projects/<id>/environments/<environment_id>", callers=USERS_AND_JOBS)
def delete_environment(call: Call) -> None:
    """Remove a stopped environment"""
    found = _found(call, Action.ADMIN_ENVIRONMENTS)
    if found.state != environments.STOPPED:
        raise forbidden("Environment must be stopped first")
    save_environment.delete_environment(call.core, found)


@routes.post(
    "/projects/<id>/environments/<environment_id>/stop",
    params=(Param("force", Kind.BOOLEAN, default=False, help="Without starting the job that stops it"),),
    status=200,
    callers=USERS_AND_JOBS,
)
def stop(call: Call) -> dict[str, Any]:
    """Stop an environment"""
    found = _found(call, Action.STOP_ENVIRONMENT)
    return _shown(call.core, stop_environment(call.core, found, call.user, force=call.params["force"]))
