"""GitLab's REST API v4 and its runner protocol.

Each module of views declares its endpoints (`endpoint.Routes`); here they are registered, and with that every one of
them gets its authentication, its errors and its parameters. A view is: parse, call a service, render an entity.
"""

from flask import Blueprint, Flask, current_app, g, request
from werkzeug.exceptions import HTTPException

from app.api.gitlab_v4 import (
    artifacts,
    branches,
    callers,
    commit_files,
    commit_statuses,
    commits,
    deployments,
    environments,
    errors,
    files,
    group_variables,
    groups,
    instance,
    instance_variables,
    job_actions,
    job_token_scope,
    jobs,
    lint,
    members,
    mirrors,
    openapi,
    params,
    pipeline_actions,
    pipeline_creation,
    pipeline_schedules,
    pipelines,
    place_tokens,
    project_settings,
    projects,
    protected_refs,
    rate_limits,
    release_links,
    releases,
    resource_groups,
    runner,
    runner_places,
    runners,
    schedule_variables,
    test_reports,
    tokens,
    triggers,
    user_accounts,
    user_runners,
    users,
    variables,
)
from app.api.gitlab_v4.endpoint import Endpoint, register

PREFIX = "/api/v4"
MODULES = (
    artifacts,
    branches,
    commit_files,
    commit_statuses,
    commits,
    deployments,
    environments,
    files,
    group_variables,
    groups,
    instance,
    instance_variables,
    job_actions,
    job_token_scope,
    jobs,
    lint,
    members,
    mirrors,
    openapi,
    pipeline_actions,
    pipeline_creation,
    pipeline_schedules,
    pipelines,
    place_tokens,
    project_settings,
    projects,
    protected_refs,
    release_links,
    releases,
    resource_groups,
    runner_places,
    runners,
    schedule_variables,
    test_reports,
    tokens,
    triggers,
    user_accounts,
    user_runners,
    users,
    variables,
)
ENDPOINTS: tuple[Endpoint, ...] = tuple(endpoint for module in MODULES for endpoint in module.routes.endpoints)


def init_app(app: Flask) -> None:
    """Register the API below /api/v4."""
    blueprint = Blueprint("gitlab_v4", __name__, url_prefix=PREFIX)
    blueprint.before_request(_admit)
    rate_limits.install(app, blueprint)
    errors.attach(blueprint)
    for endpoint in ENDPOINTS:
        register(blueprint, endpoint)
    app.register_blueprint(blueprint)
    runner.init_app(app)
    openapi.init_app(app)
    errors.answer_unrouted(app, PREFIX)


def _admit() -> None:
    """Find out who calls, and whether they may call this endpoint. What declares nothing is open to nobody."""
    endpoint = current_app.view_functions[request.endpoint or ""]
    if not isinstance(endpoint, Endpoint):
        raise errors.forbidden()
    try:
        g.given = params.collect(request)
        caller = callers.admit(endpoint.callers, endpoint.scopes, g.given)
    except (errors.ApiError, HTTPException):
        rate_limits.count(None)
        raise
    rate_limits.count(caller)
