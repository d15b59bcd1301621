"""Wercker's API v3, its addresses for CI monitors (v2) and for Spinnaker, and its badges.

Applications are our projects, pipelines our definitions, runs our pipelines, steps those of our jobs. Each module of
views declares its endpoints (`endpoint.Routes`); here they are registered, and with that every one of them gets its
authentication, its errors and its parameters. docs/reference/dialects.md lists them all.
"""

from flask import Blueprint, Flask, Response, current_app, g, request

from app.api.wercker_v3 import (
    applications,
    badges,
    cctray,
    envvars,
    errors,
    pipelines,
    runs,
    spinnaker,
    steps,
    tokens,
    workflows,
)
from app.api.wercker_v3.endpoint import Endpoint, register

MODULES = {
    "/api/v3": (applications, envvars, pipelines, runs, steps, tokens, workflows),
    "/api/v2": (cctray,),
    "/api/spinnaker/v1": (spinnaker,),
}
#: Every endpoint with the prefix of its address.
ENDPOINTS: tuple[tuple[str, Endpoint], ...] = tuple(
    (prefix, endpoint)
    for prefix, modules in MODULES.items()
    for module in modules
    for endpoint in module.routes.endpoints
)


def init_app(app: Flask) -> None:
    """Register the API and the badges."""
    for prefix in MODULES:
        blueprint = Blueprint(f"wercker{prefix.replace('/', '_')}", __name__, url_prefix=prefix)
        blueprint.before_request(_admit)
        blueprint.after_request(_headers)
        errors.attach(blueprint)
        for below, endpoint in ENDPOINTS:
            if below == prefix:
                register(blueprint, endpoint)
        app.register_blueprint(blueprint)
    app.register_blueprint(badges.blueprint)
    errors.answer_unrouted(app, tuple(f"{prefix}/" for prefix in MODULES))


def _admit() -> None:
    """Find out who calls, and whether they may call this endpoint. What declares nothing is open to nobody."""
    endpoint = current_app.view_functions[request.endpoint or ""]
    if not isinstance(endpoint, Endpoint):
        raise errors.forbidden()
    endpoint.admit()


def _headers(response: Response) -> Response:
    """As they were: nothing is kept by caches, a weak ETag tells whether something changed (wercker.md C.1)."""
    response.headers["Cache-Control"] = "private, no-cache, no-store, must-revalidate"
    if request.method == "POST":
        response.headers["X-Wercker-Trace-Id"] = g.request_id
    if request.method == "GET" and response.status_code == 200 and not response.is_streamed:
        response.add_etag(weak=True)
        response.make_conditional(request)
    if response.mimetype == "application/json":
        response.content_type = "application/json; charset=utf-8"
    return response
