"""LayerCI's (later webapp.io's) API v1: search runs, start one, list the runners of one (layerci.md B.1).

A view is: find the repository, call a service, render. Registering the blueprint attaches authentication and errors.
"""

from flask import Blueprint, Flask

from app.api.layerci_v1 import callers, errors, views

PREFIX = "/api/v1"


def init_app(app: Flask) -> None:
    """Register the API below /api/v1."""
    blueprint = Blueprint("layerci_v1", __name__, url_prefix=PREFIX)
    blueprint.before_request(callers.admit)
    errors.attach(blueprint)
    views.attach(blueprint)
    app.register_blueprint(blueprint)
    errors.answer_unrouted(app, PREFIX)
