"""Candor's dashboard API (candor.md A.2 to A.6): sessions by cookie, triggers by token, plain words as error bodies.

Its paths stand at the root, as its clients know them; their first segments are reserved (`services.projects.paths`).
"""

from flask import Blueprint, Flask

from app.api.candor import errors, guards, pipelines, runs, session, trigger


def init_app(app: Flask) -> None:
    """Register the API."""
    blueprint = Blueprint("candor", __name__)
    guards.attach(blueprint)
    for module in (session, pipelines, runs, trigger):
        module.add_routes(blueprint)
    errors.attach(blueprint)
    app.register_blueprint(blueprint)
